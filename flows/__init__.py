"""When, in what order, from where, to whom: the runs that a person would name."""
