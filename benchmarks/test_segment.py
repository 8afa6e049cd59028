"""The family segment beside its rivals."""

FAMILY = "segment"


def test_case(case, beside_rivals):
    beside_rivals(case)
