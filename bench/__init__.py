"""Benchmarks: programs that print figures, as ratios in one run. They judge nothing and are no tests."""
