"""The family metrics beside its rivals."""

FAMILY = "metrics"


def test_case(case, beside_rivals):
    beside_rivals(case)
