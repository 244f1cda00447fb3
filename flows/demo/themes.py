"""What passengers write about, by kind of score and by department: themes in many words, and some personal data."""

from collections.abc import Mapping, Sequence

Texts = Mapping[str, Sequence[str]]  # first level of the department, '' for everyone: sentences

THEMES: Mapping[str, Mapping[str, Texts]] = {
    "nl": {
        "promoter": {
            "": (
                "De vriendelijke bemanning maakte de overtocht tot een feest.",
                "Vriendelijke bemanning, ook als het druk is.",
                "Precies op tijd vertrokken en op tijd aangekomen.",
                "Altijd op tijd, daar kun je de klok op gelijkzetten.",
                "Het uitzicht vanaf het bovendek is prachtig.",
                "Prachtig uitzicht en zeehonden op de zandbank.",
                "Zodra we varen is de vakantie begonnen.",
                "Wij namen vrienden mee aan boord.",
            ),
            "Ships": ("Rustige overtocht en een schoon dek.", "De nieuwe bemanning op het dek denkt met je mee."),
            "Ports": ("Een haak voor elke fiets en iemand die meetilt.", "Het inschepen met de fiets ging vlot."),
            "Customer service": ("Vlot geholpen aan de telefoon, heel vriendelijk.", "Mijn boeking was zo gewijzigd."),
            "Food and drink": (
                "Goede koffie aan boord met uitzicht op zee.",
                "Lekkere soep en vriendelijke bediening.",
            ),
        },
        "passive": {
            "": (
                "Prima overtocht, maar wel lang wachten bij het inschepen.",
                "Het wachten duurde wat lang, verder goed.",
                "De prijs voor de auto is wel hoog.",
                "Goed, maar de prijs gaat elk jaar omhoog.",
                "Niets te klagen, ook niets bijzonders.",
                "De informatie over de vertrektijd mag duidelijker.",
            ),
            "Food and drink": ("De koffie is goed, de prijs is hoog.", "Lang wachten op een broodje."),
        },
        "detractor": {
            "": (
                "Te duur voor wat je krijgt.",
                "Een half uur vertraging en niemand die iets zei.",
                "Geen informatie over de vertraging.",
                "De wc was niet schoon en het was overal vol.",
            ),
            "Ports": ("De opstelstrook stond vol en de boot was weg.",),
            "Customer service": ("Veertig minuten wachten aan de telefoon.",),
            "Food and drink": ("De soep was koud en de rij was lang.", "Broodjes uitverkocht om twaalf uur."),
        },
    },
    "en": {
        "promoter": {
            "": (
                "A friendly crew on every deck.",
                "The friendly crew made our crossing.",
                "Once again on time, and so relaxed.",
                "On time, and no queue at all.",
                "Lovely view from the upper deck.",
                "What a view, and seals on the sandbank.",
                "Our friends will come with us.",
            ),
            "Ports": ("A hook for every bike and someone who helps you lift.",),
            "Food and drink": ("Good coffee with a view of the sea.",),
        },
        "passive": {
            "": (
                "Good crossing, but a long wait before boarding.",
                "The wait was a bit long, but the boat is fine.",
                "The price for the car is rather high.",
                "Fine, but the price goes up every year.",
            ),
        },
        "detractor": {
            "": (
                "Too expensive for what you get.",
                "Half an hour late and nobody said a word.",
                "No information about the delay.",
            ),
            "Food and drink": ("The soup was cold and the queue was long.",),
        },
    },
}

# What some add, although nobody asked for it; {n} is three digits.
PERSONAL: Mapping[str, Sequence[str]] = {
    "nl": (
        "Bel me op 06-12345{n}.",
        "Mail naar reiziger{n}@post.example.",
        "Groetjes, Marieke",
        "Mevrouw De Vries was geweldig.",
        "Mijn boekingsnummer is WL-204{n}.",
        "Kenteken HZ-{n}-K stond voor ons.",
        "Ik woon op 1791 AB {n}.",
        "Stort het terug op NL91 ABNA 0417 1643 00.",
    ),
    "en": (
        "Call me on +31 6 12345{n}.",
        "Mail me: traveller{n}@post.example.",
        "Regards, Peter Brown",
        "Mr Smith at the gate was wonderful.",
        "My booking number is WL-204{n}.",
        "Refund to NL91 ABNA 0417 1643 00, please.",
    ),
}
ADDS_PERSONAL = 0.06
ADDS_SECOND = 0.35  # another thought


def remark(kind: str, language: str, path: Sequence[str], draws: Sequence[float]) -> str:
    """A remark that goes with the kind of score and the department; `draws` are four numbers from 0 to 1."""
    texts = THEMES[language][kind]
    known = (*texts[""], *(texts.get(path[0], ()) if path else ()))
    first = int(draws[0] * len(known))
    second = (first + 1 + int(draws[1] * (len(known) - 1))) % len(known)
    said = [known[first]] + ([known[second]] if draws[2] < ADDS_SECOND else [])
    if draws[3] < ADDS_PERSONAL:
        more, share = PERSONAL[language], draws[3] / ADDS_PERSONAL
        said.append(more[int(share * len(more))].replace("{n}", f"{100 + int(draws[1] * 900)}"))
    return " ".join(said)
