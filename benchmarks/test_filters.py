"""The family filters beside its rivals."""

FAMILY = "filters"


def test_case(case, beside_rivals):
    beside_rivals(case)
