"""What the demo's passengers write: in both languages, with themes, and with personal data that is found."""

from itertools import product

from flows.demo.themes import ADDS_PERSONAL, PERSONAL, THEMES, remark
from transforms.comments import Cleaner

CLEANER = Cleaner(order_numbers=(r"\bWL-\d{6}\b",), otherwise="nl")


def test_every_piece_of_personal_data_that_the_demo_adds_is_removed() -> None:
    for language, more in PERSONAL.items():
        for place in range(len(more)):
            draws = (0.1, 0.5, 0.9, ADDS_PERSONAL * (place + 0.5) / len(more))
            said = CLEANER.clean(remark("promoter", language, (), draws), said=language)
            assert said.removed, more[place]


def test_a_theme_holds_nothing_personal_and_fits_the_older_platforms_encoding() -> None:
    for language, kinds in THEMES.items():
        for texts in kinds.values():
            for text in (one for own in texts.values() for one in own):
                assert CLEANER.clean(text).comment == text.encode("cp1252").decode("cp1252")
                assert CLEANER.clean(text).language == language


def test_the_same_draws_give_the_same_remark() -> None:
    for kind, language in product(("promoter", "passive", "detractor"), ("nl", "en")):
        assert remark(kind, language, ("Ports",), (0.3, 0.2, 0.1, 0.01)) == remark(
            kind, language, ("Ports",), (0.3, 0.2, 0.1, 0.01)
        )
