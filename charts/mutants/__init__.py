"""Mutants of the chart's rules: made, run against the cases in tests/rules, and reported."""
