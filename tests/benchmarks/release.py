"""The release measured on loopback, against a bare loop of sends and against what people do: `make bench-release`.

Sender and receivers are two processes, each on a processor of its own, for all ways alike. What is compared is what the
receivers saw: the kernel's time of the first bytes of each message (the sender's skew is the last of these less the
first), and the time at which the receiver held all of it. Ratios are medians of the ratios within each run.
"""

import os
import statistics
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import trustme

from flows.progress import be_quiet
from tests.benchmarks.release_bench import Bench, Skews
from tests.benchmarks.release_receivers import raise_limit, release_receivers

RUNS = 7
COUNTS = (10, 100, 1000)
TITLES = {
    "release": "the release",
    "floor": "floor: bare loop of sends",
    "gather": "asyncio gather, nothing held",
    "sequential": "sequential loop",
}

Runs = Sequence[Mapping[str, Skews]]


@contextmanager
def bench() -> Iterator[Bench]:
    """A sender and its receivers, apart from each other where there are two processors, with a certificate of ours."""
    cpus = sorted(os.sched_getaffinity(0))
    raise_limit()
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        certificate, trusted = folder / "server.pem", folder / "authority.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        authority.cert_pem.write_to_path(trusted)
        before = os.environ.get("SSL_CERT_FILE")
        os.environ["SSL_CERT_FILE"] = str(trusted)
        try:
            with release_receivers(cpu=cpus[-1] if len(cpus) > 1 else None, certificate=certificate) as receivers:
                if len(cpus) > 1:
                    os.sched_setaffinity(0, cpus[:1])
                yield Bench(receivers, folder)
        finally:
            os.sched_setaffinity(0, cpus)
            os.environ.pop("SSL_CERT_FILE")
            if before is not None:
                os.environ["SSL_CERT_FILE"] = before


def main(runs: int) -> None:
    """Measure everything, then print a table and the ratios."""
    with bench() as measured:
        kinds: dict[str, Callable[[int, int], Mapping[str, Skews]]] = {
            "": lambda count, run: measured.webhooks(count, run=run),
            "tls_": lambda count, run: measured.webhooks(count, run=run, is_tls=True),
            "email_": lambda count, run: measured.emails(count, run=run),
        }
        measured.warm_up()
        found: dict[tuple[str, int], list[Mapping[str, Skews]]] = {}
        for run in range(runs):
            for kind, of in kinds.items():
                for count in COUNTS if kind != "tls_" else COUNTS[-1:]:
                    found.setdefault((kind, count), []).append(of(count, run))
            print(f"run {run + 1} of {runs} done", file=sys.stderr, flush=True)
    print(f"median of {runs} runs; ms from the first recipient to the last")
    for (kind, count), of_kind in found.items():
        _print_table(kind, count, of_kind)
    print()
    for (kind, count), of_kind in found.items():
        for name, value in ratios(of_kind).items():
            print(f"RATIO {kind}{name}_{count} {value:.3g}")


def ratios(runs: Runs) -> dict[str, float]:
    """What one kind and count come to: for the release small is good, for what people do otherwise it tells how far."""
    found = {
        "release_skew_over_floor": _ratio(runs, "release", "floor"),
        "sequential_skew_over_release": _ratio(runs, "sequential", "release"),
        "gather_skew_over_release": _ratio(runs, "gather", "release"),
        "release_receivers_skew_over_floor": _ratio(runs, "release", "floor", at="receivers"),
        "sequential_receivers_skew_over_release": _ratio(runs, "sequential", "release", at="receivers"),
        "gather_receivers_skew_over_release": _ratio(runs, "gather", "release", at="receivers"),
    }
    ours = [run["release"] for run in runs]
    if ours[0].count > 1:
        found["recorded_skew_over_measured"] = statistics.median((one.recorded or 0) / one.sender for one in ours)
    return {name: value for name, value in found.items() if value is not None}


def _ratio(runs: Runs, over: str, under: str, *, at: str = "sender") -> float | None:
    """None where a way was not measured, or sends one message, which has no skew."""
    if not all(way in run and run[way].count > 1 for way in (over, under) for run in runs):
        return None
    return statistics.median(float(getattr(run[over], at) / getattr(run[under], at)) for run in runs)


def _print_table(kind: str, count: int, runs: Runs) -> None:
    first = runs[0]["release"]
    what = {"": "webhooks", "tls_": "webhooks over TLS", "email_": "e-mail"}[kind]
    over = f" in {first.count} messages" if kind == "email_" else ""
    print(f"\n{f'{count:,} recipients, {what}{over}, {first.size:,} bytes each':<62}{'sender':>10}{'receivers':>12}")
    for way in (way for way in TITLES if way in runs[0]):
        sender, receivers = (statistics.median(getattr(run[way], at) for run in runs) for at in ("sender", "receivers"))
        print(f"  {TITLES[way]:<60}{sender:>10.2f}{receivers:>12.2f}")
    recorded = statistics.median(run["release"].recorded or 0 for run in runs)
    print(f"  {'the release, as its own ledger has it':<60}{recorded:>10.2f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of other packages, at their import
    be_quiet()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
