"""What the report shows of each story: its incidents, what is advised, how to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.dispatch.report_data import ReportData
from bartizan.dispatch.report_view import Bar, IncidentView, bar
from bartizan.model.advice import Advice
from bartizan.model.relations import Relations, relations
from bartizan.model.stories import Story, is_history, join
from bartizan.model.story import severity_label

MOST_ADVICE = 4
MOST_SHOWN = 40  # stories in full; the others as a line
MOST_OTHERS = 10  # incidents beside the lead in full; the others as a line


@dataclass(frozen=True)
class StoryView:
    """`lead` is the worst incident, `others` more in order of time, `listed` those beyond ten."""

    number: int
    story: Story
    label: str
    bar: Bar
    lead: IncidentView
    others: tuple[IncidentView, ...]
    listed: tuple[IncidentView, ...]
    advice: tuple[Advice, ...]
    relations: Relations

    @property
    def members(self) -> tuple[IncidentView, ...]:
        """All incidents, the lead first."""
        return (self.lead, *self.others, *self.listed)

    @property
    def state(self) -> str:
        """`history` for what was only found long after it ended."""
        if all(is_history(one) for one in self.story.incidents):
            return "history"
        return "open" if self.story.is_open else "over"

    @property
    def answers(self) -> tuple[str, ...]:
        """Commands about the lead."""
        name = self.lead.incident.id
        return (
            f"bartizan incident acknowledge {name} --by NAME",
            f"bartizan feedback give {name} --kind confirmed --by NAME",
            f"bartizan feedback give {name} --kind false_alarm --note WHY --by NAME",
        )


def joined(report: ReportData) -> list[Story]:
    """The stories of the report, the most severe first, then by time."""
    return sorted(
        join(report.incidents, report.told),
        key=lambda story: (-story.worst.severity, story.window.start, story.id),
    )


def in_full(stories: Sequence[Story]) -> frozenset[str]:
    """The incidents that are shown with all that is known of them."""
    shown = stories[:MOST_SHOWN]
    others = {
        one.id
        for story in shown
        for one in [i for i in story.incidents if i.id != story.worst.id][:MOST_OTHERS]
    }
    return frozenset(others | {story.worst.id for story in shown})


def story_views(
    report: ReportData, stories: Sequence[Story], views: Sequence[IncidentView]
) -> tuple[StoryView, ...]:
    """One per story, in order, numbered from 1."""
    by_id = {view.incident.id: view for view in views}
    return tuple(_view(number, one, by_id, report) for number, one in enumerate(stories, start=1))


def _view(
    number: int, story: Story, by_id: dict[str, IncidentView], report: ReportData
) -> StoryView:
    lead = by_id[story.worst.id]
    members = [by_id[one.id] for one in story.incidents]
    advised = {one.name: one for view in members for one in view.incident.advice}
    fitting = sorted(advised.values(), key=lambda one: (-one.weight, one.name))
    others = tuple(view for view in members if view is not lead)
    return StoryView(
        number=number,
        story=story,
        label=severity_label(story.worst.severity),
        bar=bar(story.window, report.period),
        lead=lead,
        others=others[:MOST_OTHERS],
        listed=others[MOST_OTHERS:],
        advice=tuple(fitting[:MOST_ADVICE]),
        relations=relations(story, lead.incident),
    )
