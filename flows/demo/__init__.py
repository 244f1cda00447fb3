"""A believable ferry company, from survey files to every department at one moment, to try Zwerm with."""
