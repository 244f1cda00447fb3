"""What befalls each release: drawn from the seed and the release's number alone, so that it can be repeated."""

import random
from dataclasses import dataclass
from typing import Literal, get_args

OPENS = 9  # renames and sends of one moment in this suite
STEPS = (
    *("sealed", "staged", "arming", "armed", "committed"),
    *(f"opened:{number}" for number in range(OPENS)),
    *("confirmed", "renewed"),
)
LONGEST_LIFE = 1.6  # seconds after which a start that nothing disturbs has mostly ended
AHEAD = (2.0, 4.5)  # seconds until T, where one is planned
FARTHEST = 3600.0  # seconds that a clock is set, back or forward

HookFault = Literal[
    "refuses connections",
    "refuses to be ready",
    "hangs when asked",
    "drops while armed",
    "slow",
    "5xx after the commit",
    "hangs after the commit",
    "closes early",
    "answers too late",
    "is cut off in the middle",
    "answers nonsense",
]
MailFault = Literal[
    "refuses an address", "451 after DATA", "hangs after DATA", "hangs up after DATA", "drops while armed"
]
FarFault = Literal["slow", "hangs at T", "drops the connection at T", "refuses at T", "does it and never answers"]
HOOK_FAULTS: tuple[HookFault, ...] = get_args(HookFault)
FAR_FAULTS: tuple[FarFault, ...] = get_args(FarFault)
MAIL_FAULTS: tuple[MailFault, ...] = get_args(MailFault)
HOOK_FAULTS_AFTER: tuple[HookFault, ...] = HOOK_FAULTS[4:]  # these hold nothing
MAIL_FAULTS_AFTER: tuple[MailFault, ...] = MAIL_FAULTS[1:4]


@dataclass(frozen=True)
class Kill:
    """One `kill -9`: at a named step, or so many seconds after the process began."""

    step: str | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        return f"at {self.step}" if self.step else f"after {self.seconds:.2f} s"


@dataclass(frozen=True)
class Jump:
    """The wall clock of one process is set at a named step; the receivers' clocks are not."""

    step: str
    seconds: float


@dataclass(frozen=True)
class Fault:
    """What one receiver does wrong, and for how many requests."""

    receiver: int
    kind: HookFault
    times: int


@dataclass(frozen=True)
class Fate:
    """All that befalls one release."""

    number: int
    kills: tuple[Kill | None, ...] = ()  # of the first start, the second, …
    jump: Jump | None = None
    faults: tuple[Fault, ...] = ()
    mail_fault: MailFault | None = None
    mail_mends_after: float = 1.0  # seconds
    ahead: float | None = None  # seconds until its T; None: as soon as it is armed
    far_fault: FarFault | None = None
    is_far: bool = False  # to another host by SFTP and to an object store too
    sabotage: str | None = None

    def kill_of(self, start: int) -> Kill | None:
        """What kills the start of this number, if anything does."""
        return self.kills[start] if start < len(self.kills) else None


def drawn(seed: int, number: int, *, hooks: int) -> Fate:
    """The fate of a release; every other one dies at a step, which nothing keeps it from, one step after the other."""
    draw, dies_at_step = random.Random(f"{seed}/{number}"), number % 2 == 1
    hook_faults, mail_faults = (HOOK_FAULTS_AFTER, MAIL_FAULTS_AFTER) if dies_at_step else (HOOK_FAULTS, MAIL_FAULTS)
    return Fate(
        number,
        kills=(_first_kill(draw, number), _second_kill(draw)),
        jump=None if dies_at_step else _jump(draw),
        faults=tuple(
            Fault(draw.randrange(hooks), draw.choice(hook_faults), draw.choice((1, 1, 2, 3)))
            for _ in range(draw.choice((0, 0, 0, 1, 1, 2)))
        ),
        mail_fault=draw.choice(mail_faults) if draw.random() < 0.2 else None,
        mail_mends_after=draw.uniform(0.3, 2.5),
        ahead=draw.uniform(*AHEAD) if draw.random() < 0.25 else None,
        far_fault=draw.choice(FAR_FAULTS) if draw.random() < 0.4 else None,
        is_far=draw.random() < 0.2,
    )


def _first_kill(draw: random.Random, number: int) -> Kill | None:
    if number % 2:
        return Kill(step=STEPS[number // 2 % len(STEPS)])
    return Kill(seconds=draw.uniform(0, LONGEST_LIFE)) if draw.random() < 0.75 else None


def _second_kill(draw: random.Random) -> Kill | None:
    luck = draw.random()
    if luck < 0.15:
        return Kill(step=draw.choice(STEPS))
    return Kill(seconds=draw.uniform(0, LONGEST_LIFE)) if luck < 0.4 else None


def _jump(draw: random.Random) -> Jump | None:
    if draw.random() < 0.4:
        return None
    seconds = draw.choice((-1, 1)) * draw.choice((draw.uniform(0.2, 3), draw.uniform(3, 120), FARTHEST))
    return Jump(draw.choice(STEPS[:-1]), seconds)
