"""What passengers write under "why", in Dutch and English, by kind of score."""

from collections.abc import Mapping

REMARKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "nl": {
        "promoter": (
            "De bemanning hielp mijn moeder met haar rollator voordat we het vroegen. Ik vertel het iedereen.",
            "Op tijd, vriendelijk, en het uitzicht blijft mooi.",
            "Een haak voor elke fiets en iemand die meetilt.",
            "Hond mocht mee aan dek, kinderen blij, wij ook.",
            "Zodra we varen is de vakantie begonnen.",
            "Rustig overgestoken, koffie erbij. Zó hoort het.",
            "Mijn zus komt nu ook met de fiets.",
            "Top!",
        ),
        "passive": (
            "Prima overtocht, maar het omroepen verstond ik niet.",
            "Goed, al was het dringen bij de uitgang.",
            "Fijne boot; de prijs voor de auto blijft hoog: € 92,50.",
            "Niets te klagen, ook niets bijzonders.",
            "De informatie toen het later werd had eerder gemogen.",
        ),
        "detractor": (
            "Een half uur in de rij voor koffie, en toen was de soep koud.",
            "Boot gemist omdat de opstelstrook vol stond en niemand iets zei.",
            "Broodjes uitverkocht om twaalf uur.",
            "Wachttijd aan de telefoon: 40 minuten. Bel me maar terug op 06-12345678.",
            "Te duur voor wat je krijgt.\nEn de wc was niet schoon.",
        ),
    },
    "en": {
        "promoter": (
            "Bikes on, coffee, deck. By the time we sail, the holiday has begun.",
            "We brought friends this year because it is so relaxed.",
            "Staff went out of their way for us, thank you!",
            "Smooth crossing, lovely view, dog welcome.",
            "Best part of the trip, honestly.",
        ),
        "passive": (
            "Fine boat, a bit crowded.",
            "Good, but nobody could say when the next one would leave.",
            "Nice crossing; signs to the car lanes are confusing.",
        ),
        "detractor": (
            "The queue for coffee took half the crossing.",
            "Sandwiches were sold out at noon, and nobody could say when there would be more.",
            "Late, cold, and no apology.\nMail me if you want details: j.visser@post.example",
        ),
    },
}
