"""What the calls of the `zwerm` command do and say."""
