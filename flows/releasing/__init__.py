"""From a sealed release to everyone at one moment, or to nobody: audience, stage, arm, open, confirm, recover."""
