"""One release in one language: what each page says about each department, ready for its template."""

from typing import Any, Literal

from markupsafe import Markup

from transforms.report import sentences
from transforms.report.apart import apart, beside_the_rest
from transforms.report.edition import Metric
from transforms.report.figures import carried, people
from transforms.report.praise import levers, missed, strengths
from transforms.report.revised import revised
from transforms.report.rows import DepartmentRow, MovedRow, department_row, moved_row
from transforms.report.scene import Scene
from transforms.report.sure import sure
from transforms.report.timeline import no_change, timeline
from transforms.report.told import told
from transforms.report.tree import Node, cut, tree
from transforms.report.views import carry_rows, figures, pictures
from transforms.report.words import Words

ROWS = 150  # of a department table on one page: keeps the page under 200 kB
TOLD = ("figures", "rose", "fell", "praise", "missed", "help", "carry", "rest")  # of a department that has figures
WHOLE_ROWS = 60  # up to so many departments a department's page repeats the whole table


class Report:
    """The words of one language over the figures of one release."""

    def __init__(self, scene: Scene, words: Words) -> None:
        self.scene = scene
        self.words = words
        self.tree = tree(scene.edition.departments, words.language)
        given = scene.edition.respondents or {}
        self.respondents = given.get(words.language) or words.say("respondents")
        self.moved = {
            kind: set(scene.edition.highlights.loc[scene.edition.highlights["kind"] == kind, "department_id"])
            for kind in ("rose", "fell")
        }

    def page(self, department_id: str, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        """All that a department's page shows: its own part, and behind it the whole."""
        node, is_root = self.tree.nodes[department_id], department_id == self.scene.root_id
        own = self._own(node)
        whole = None if is_root else self._whole(department_id)
        return {
            "own": own,
            "whole": whole,
            "here": None if is_root else node.name,
            "trail": [] if is_root else self._trail(node),
            "page_title": self._titled(None if is_root else self._path(node)),
            "contents": self._contents(own, whole),
            "scale": self.scene.scale,
            "suppressed": sentences.suppressed(self.words, self.scene.edition.min_respondents),
            "sure": sure(self.scene.edition, self.words, self.scene.metrics[department_id], self.respondents),
            "revised": revised(self.scene.edition, self.words, self.tree, department_id if not is_root else None),
            "pieces": pieces if is_root else [],
        }

    def piece(self, piece: dict[str, Any], pieces: list[dict[str, Any]]) -> dict[str, Any]:
        """A part of a long tree on a page of its own."""
        return {
            "piece": piece,
            "pieces": pieces,
            "rows": [self._row(node, page=None) for node in piece["nodes"]],
            "caption": self._caption(),
            "scale": self.scene.scale,
            "suppressed": sentences.suppressed(self.words, self.scene.edition.min_respondents),
            "here": self.words.say("All departments"),
            "trail": [{"name": self.words.say("All departments"), "href": None}],
            "page_title": self._titled(self.words.say("All departments")),
        }

    def _own(self, node: Node) -> dict[str, Any]:
        metric, department_id = self.scene.metrics[node.department_id], node.department_id
        own = dict.fromkeys(TOLD) | {
            "departments": self._departments(node) if node.children else None,
            "time": timeline(self.scene, self.words, department_id),
            "why": None,
        }
        if metric.nps is None or metric.responses is None:
            return own | self._nothing(metric)
        name = None if department_id == self.scene.root_id else Markup("<bdi>%s</bdi>") % node.name
        return own | {
            "headline": self._headline(metric),
            "answered": sentences.answered(self.words, metric.responses, respondents=self.respondents, department=name),
            "nothing": None,
            "figures": figures(self.words, metric, is_asked=self.scene.edition.superpromoters_asked),
            "rose": self._moved(node, "rose"),
            "fell": self._moved(node, "fell"),
            "praise": strengths(self.scene, self.words, department_id),
            "missed": missed(self.scene, self.words, department_id),
            "help": levers(self.scene, self.words, department_id),
            "carry": self._carry(metric),
            "rest": beside_the_rest(self.scene, self.words, department_id),
        }

    def _nothing(self, metric: Metric) -> dict[str, Any]:
        """What is said of a department that has no figures to show."""
        words = self.words
        if not metric.is_published:
            sentence = sentences.suppressed(words, self.scene.edition.min_respondents)
            return {
                "headline": words.say("The figures of this department cannot be shown."),
                "answered": sentences.first_upper(f"{sentence}."),
                "nothing": words.say(
                    "Everyone reads the same here: nobody has these figures, neither the department nor anyone else."
                ),
                "why": words.say(
                    "Figures of a small group could tell what one person answered. "
                    "The whole, with all that can be shown, follows below."
                ),
            }
        if metric.responses:
            return {
                "headline": words.say("Too few gave a score about this department in this wave."),
                "answered": words.count(
                    "%(number)s answer counts here.", "%(number)s answers count here.", metric.responses
                ),
                "nothing": words.say("The whole follows below."),
            }
        return {
            "headline": words.say("Nobody gave a score about this department in this wave."),
            "answered": words.say("No answers with a score."),
            "nothing": words.say("The whole follows below."),
        }

    def _headline(self, metric: Metric) -> str:
        return sentences.wave_in_people(self.words, people(metric), respondents=self.respondents)

    def _whole(self, department_id: str) -> dict[str, Any] | None:
        root = self.scene.metrics[self.scene.root_id]
        if root.nps is None:
            return None
        rows = list(self.tree.root.walk())
        table = None
        if len(rows) <= WHOLE_ROWS:
            table = {"rows": [self._row(row, page=department_id) for row in rows], "caption": self._caption()}
        return {
            "headline": self._headline(root),
            "figures": figures(self.words, root, is_asked=self.scene.edition.superpromoters_asked),
            "departments": table,
        }

    def _departments(self, node: Node) -> dict[str, Any]:
        rows, is_root = cut(node, most=ROWS), node.department_id == self.scene.root_id
        all_rows = list(node.walk())
        below = [self.scene.metrics[row.department_id] for row in all_rows[1:]]
        return {
            "heading": self.words.say("All departments")
            if is_root
            else self.words.say("The parts of %(name)s", name=Markup("<bdi>%s</bdi>") % node.name),
            "sentence": sentences.can_be_shown(self.words, sum(m.is_published for m in below), len(below)),
            "rows": [self._row(row, page=node.department_id, top=0 if is_root else node.level - 1) for row in rows],
            "caption": self._caption(),
            "is_cut": len(rows) < len(all_rows),
            "apart": apart(self.scene, self.words, self.tree) if is_root else None,
        }

    def _row(self, node: Node, *, page: str | None, top: int = 0) -> DepartmentRow:
        is_own_page = node.department_id == page
        return department_row(
            self.words,
            node,
            self.scene.metrics[node.department_id],
            scale=self.scene.scale,
            href=None if is_own_page else self._href(node.department_id),
            is_here=is_own_page and page != self.scene.root_id,
            top=top,
        )

    def _href(self, department_id: str) -> str:
        return "index.html" if department_id == self.scene.root_id else f"{department_id}.html"

    def _moved(self, node: Node, kind: Literal["rose", "fell"]) -> dict[str, Any]:
        words, previous, wave = self.words, self.scene.previous_wave, self.scene.edition.wave
        if previous is None:
            sentence = (
                words.say("This is the first wave: what rises shows from the next one on.")
                if kind == "rose"
                else words.say("This is the first wave: what falls shows from the next one on.")
            )
            return {"rows": [], "sentence": sentence, "note": None}
        is_root, since = node.department_id == self.scene.root_id, words.wave_beside(previous, wave)
        if not node.children and not is_root and self.scene.metrics[node.department_id].nps_change is None:
            return {
                "rows": [],
                "sentence": no_change(self.scene, words, self.scene.metrics[node.department_id]),
                "note": None,
            }
        ids = self.moved[kind] - {self.scene.root_id}
        rows = [self._moved_row(row, previous, page=node) for row in node.walk() if row.department_id in ids]
        count = sentences.rose if kind == "rose" else sentences.fell
        name = None if is_root else Markup("<bdi>%s</bdi>") % node.name
        return {
            "rows": rows,
            "sentence": count(words, len(rows), wave=since, is_whole=is_root),
            "note": sentences.holds_for(words, name, has_parts=bool(node.children)),
            "caption": words.say(
                "NPS in %(before)s and %(now)s, with the interval of each", before=since, now=words.wave(wave)
            ),
            "was": since,
            "now": words.wave_beside(wave, previous),
            "was_short": words.wave_beside(previous, wave, short=True),
            "now_short": words.wave_beside(wave, previous, short=True),
            "since": words.say("since %(wave)s", wave=since),
        }

    def _moved_row(self, node: Node, previous: str, *, page: Node) -> MovedRow:
        is_here = node.department_id == page.department_id
        earlier = [m for m in self.scene.over_time[node.department_id] if m.wave == previous]
        return moved_row(
            self.words,
            node,
            self.scene.metrics[node.department_id],
            earlier[-1] if earlier else None,
            scale=self.scene.scale,
            href=None if is_here else self._href(node.department_id),
            is_here=is_here,
        )

    def _carry(self, metric: Metric) -> dict[str, Any]:
        is_asked, found = self.scene.edition.superpromoters_asked, carried(metric)
        return {
            "sentence": sentences.how_far(self.words, found, is_asked=is_asked),
            "pictures": pictures(self.words, metric),
            "rows": carry_rows(self.words, metric),
            "told": told(self.scene.edition, self.words, metric),
            "has_steps": found.told is not None,
            "caption": self.words.say(
                "From promoter to superpromoter, %(wave)s", wave=self.words.wave(self.scene.edition.wave)
            ),
        }

    def _caption(self) -> str:
        return self.words.say("NPS of every department with its 95%% interval, alphabetical within each part")

    def _trail(self, node: Node) -> list[dict[str, Any]]:
        above = [{"name": up.name, "href": self._href(up.department_id)} for up in self.tree.above(node.department_id)]
        return [*above, {"name": node.name, "href": None}]

    def _path(self, node: Node) -> str:
        return " › ".join([up.name for up in self.tree.above(node.department_id)] + [node.name])

    def _titled(self, first: str | None) -> str:
        edition = self.scene.edition
        rest = f"{edition.titles[self.words.language]}, {self.words.wave(edition.wave)} – {edition.organisation}"
        return rest if first is None else f"{first}, {rest}"

    def _contents(self, own: dict[str, Any], whole: dict[str, Any] | None) -> list[tuple[str, str]]:
        words = self.words
        found = [
            ("right", words.say("What goes right"), own["rose"]),
            ("fell", words.say("What fell"), own["fell"]),
            ("help", words.say("What would help"), own["help"]),
            ("carries", words.say("How far enthusiasm carries"), own["carry"]),
            ("departments", own["departments"] and own["departments"]["heading"], own["departments"]),
            ("time", words.say("Over time"), own["time"]),
            ("whole", words.say("The whole"), whole),
            ("sure", words.say("How sure are we"), True),
        ]
        return [(id_, text) for id_, text, there in found if there]
