"""The family regions beside its rivals."""

FAMILY = "regions"


def test_case(case, beside_rivals):
    beside_rivals(case)
