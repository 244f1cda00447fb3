"""Microsoft Presidio with blank language models: it runs our recognisers, and nothing is downloaded nor asked for.

Its own recognisers are not used: those of e-mail and web addresses fetch a list of top-level domains from the internet,
and those of patterns let a comment by when time runs out.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from transforms.personal import KINDS, Recogniser

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer
    from presidio_analyzer.nlp_engine import NlpEngine

LANGUAGES = ("nl", "en")

Found = tuple[int, int, str]  # from, to, kind


def analyzer(recognisers: Sequence[Recogniser]) -> "AnalyzerEngine":
    """The engine with these recognisers in both languages; its import takes seconds."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry

    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=_known(recognisers), supported_languages=list(LANGUAGES)),
        nlp_engine=_blank_models(),
        supported_languages=list(LANGUAGES),
    )


def _known(recognisers: Sequence[Recogniser]) -> "list[EntityRecognizer]":
    """The recognisers as Presidio knows them, in each language."""
    from presidio_analyzer import EntityRecognizer, RecognizerResult
    from presidio_analyzer.nlp_engine import NlpArtifacts

    class Ours(EntityRecognizer):
        """One of them, in one language."""

        def __init__(self, recogniser: Recogniser, language: str) -> None:
            self.ours = recogniser
            super().__init__([recogniser.kind], name=recogniser.kind, supported_language=language)

        def load(self) -> None:
            """Nothing: it is a function."""

        def analyze(
            self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
        ) -> list[RecognizerResult]:
            """Where the kind stands."""
            if self.ours.needs.search(text) is None:
                return []
            return [RecognizerResult(self.ours.kind, start, end, 1.0) for start, end in self.ours.find(text)]

    return [Ours(recogniser, language) for language in LANGUAGES for recogniser in recognisers]


@cache
def _blank_models() -> "NlpEngine":
    """One for all: to make them takes longer than to clean a thousand comments."""
    from presidio_analyzer.nlp_engine import NlpArtifacts, SpacyNlpEngine
    from spacy import blank

    class BlankModels(SpacyNlpEngine):
        """Languages without any model, and no words either: spaCy takes a second to part 2,000 plus signs.

        Our recognisers read the text itself.
        """

        def __init__(self) -> None:
            super().__init__(models=[{"lang_code": language, "model_name": "blank"} for language in LANGUAGES])
            self.blank = {language: blank(language).make_doc("") for language in LANGUAGES}
            self.nlp = dict.fromkeys(LANGUAGES)  # type: ignore[assignment]  # asked for its keys alone

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            """Nothing about the text."""
            return NlpArtifacts([], self.blank[language], [], [], self, language)

    return BlankModels()


def spans(engine: "AnalyzerEngine", text: str, language: str) -> list[Found]:
    """What the engine finds in a plain text, in order; of those that overlap one is made, of the graver kind."""
    found = sorted((result.start, result.end, result.entity_type) for result in engine.analyze(text, language))
    merged: list[Found] = []
    for start, end, kind in found:
        if merged and start < merged[-1][1]:
            first, last, other = merged[-1]
            merged[-1] = (first, max(last, end), min(kind, other, key=KINDS.index))
        else:
            merged.append((start, end, kind))
    return merged
