"""The family warp beside its rivals."""

FAMILY = "warp"


def test_case(case, beside_rivals):
    beside_rivals(case)
