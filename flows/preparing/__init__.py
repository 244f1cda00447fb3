"""From the sources to a sealed release, one file per step."""
