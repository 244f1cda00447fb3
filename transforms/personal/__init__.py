"""Personal data in what people write: one recogniser per kind, all of them pure functions over one comment."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Span = tuple[int, int]  # from, to
DIGIT = re.compile(r"\d")

# What stands in the place of what was found, by kind, in the comment's language.
PLACEHOLDERS = {
    "email": {"nl": "[e-mailadres]", "en": "[email address]"},
    "url": {"nl": "[webadres]", "en": "[web address]"},
    "iban": {"nl": "[rekeningnummer]", "en": "[account number]"},
    "card": {"nl": "[kaartnummer]", "en": "[card number]"},
    "order_number": {"nl": "[bestelnummer]", "en": "[reference number]"},
    "phone": {"nl": "[telefoonnummer]", "en": "[phone number]"},
    "bsn": {"nl": "[burgerservicenummer]", "en": "[citizen service number]"},
    "birth_date": {"nl": "[geboortedatum]", "en": "[date of birth]"},
    "plate": {"nl": "[kenteken]", "en": "[licence plate]"},
    "postcode": {"nl": "[postcode]", "en": "[postcode]"},
    "street": {"nl": "[adres]", "en": "[address]"},
    "ip": {"nl": "[IP-adres]", "en": "[IP address]"},
    "handle": {"nl": "[gebruikersnaam]", "en": "[username]"},
    "name": {"nl": "[naam]", "en": "[name]"},
}
KINDS = tuple(PLACEHOLDERS)  # where two overlap, the earlier one names the whole


@dataclass(frozen=True)
class Recogniser:
    """What finds one kind: a function from a comment in its plain form to the places where it stands."""

    kind: str
    find: Callable[[str], Iterator[Span]]
    needs: re.Pattern[str] = re.compile("")  # a text without it holds none: most comments are done with that
