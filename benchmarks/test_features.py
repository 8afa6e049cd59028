"""The family features beside its rivals."""

FAMILY = "features"


def test_case(case, beside_rivals):
    beside_rivals(case)
