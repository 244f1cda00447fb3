"""Pages from metrics: templates, words in English and Dutch, and pictures."""

from transforms.report.edition import Changed, Edition, changed
from transforms.report.pages import pages

__all__ = ["Changed", "Edition", "changed", "pages"]
