"""The edges inward: one file per platform or kind; each yields bytes and where they came from, and parses nothing."""
