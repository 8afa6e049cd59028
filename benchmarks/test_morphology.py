"""The family morphology beside its rivals."""

FAMILY = "morphology"


def test_case(case, beside_rivals):
    beside_rivals(case)
