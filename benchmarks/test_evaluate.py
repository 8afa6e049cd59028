"""The family evaluate beside its rivals."""

FAMILY = "evaluate"


def test_case(case, beside_rivals):
    beside_rivals(case)
