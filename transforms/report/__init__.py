"""Pages from metrics: templates, words in English and Dutch, and pictures."""
