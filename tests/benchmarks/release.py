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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import trustme

from flows.progress import be_quiet
from tests.benchmarks.release_bench import Bench, Skews
from tests.benchmarks.release_receivers import raise_limit, release_receivers

RUNS = 7
COUNTS = (10, 100, 1000)
SLOW_COUNT = 100
TITLES = {
    "release": "the release",
    "floor": "floor: bare loop of sends",
    "gather": "asyncio gather, nothing held",
    "sequential": "sequential loop",
    "sequential_lean": "sequential loop with http.client",
    "sealed_1mb": "the key to 1 MB that lies there sealed",
    "sealed_1kb": "the key to 1 kB that lies there sealed",
    "plain_1mb": "1 MB, not sealed",
}
KINDS = {
    "": "webhooks",
    "tls_": "webhooks over TLS",
    "email_": "e-mail",
    "slow_": "webhooks that read 1 MB/s",
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
    found: dict[tuple[str, int], list[Mapping[str, Skews]]] = {}
    with bench() as measured:
        measured.warm_up()
        kinds = {"": measured.webhooks, "email_": measured.emails}
        for run in range(runs):
            for (kind, of), count in product(kinds.items(), COUNTS):
                found.setdefault((kind, count), []).append(of(count, run=run))
            found.setdefault(("tls_", COUNTS[-1]), []).append(measured.webhooks(COUNTS[-1], run=run, is_tls=True))
            found.setdefault(("slow_", SLOW_COUNT), []).append(measured.slow_readers(SLOW_COUNT, run=run))
            print(f"run {run + 1} of {runs} done", file=sys.stderr, flush=True)
    print(f"median of {runs} runs, sender and receivers on a processor each; milliseconds from first to last")
    for (kind, count), of_kind in found.items():
        _print_table(kind, count, of_kind)
    print()
    for (kind, count), of_kind in found.items():
        for name, value in (slow_ratios(of_kind) if kind == "slow_" else ratios(of_kind)).items():
            print(f"RATIO {'' if kind == 'slow_' else kind}{name}_{count} {value:.{0 if value >= 100 else 2}f}")


def ratios(runs: Runs) -> dict[str, float]:
    """What one kind and count come to: for the release small is good, for what people do otherwise it tells how far."""
    found = {
        "release_skew_over_floor": _ratio(runs, "release", "floor"),
        "sequential_skew_over_release": _ratio(runs, "sequential", "release"),
        "sequential_lean_skew_over_release": _ratio(runs, "sequential_lean", "release"),
        "gather_skew_over_release": _ratio(runs, "gather", "release"),
        "release_receivers_skew_over_floor": _ratio(runs, "release", "floor", at="receivers"),
        "sequential_receivers_skew_over_release": _ratio(runs, "sequential", "release", at="receivers"),
        "gather_receivers_skew_over_release": _ratio(runs, "gather", "release", at="receivers"),
    }
    ours = [run["release"] for run in runs]
    if ours[0].count > 1:
        found["recorded_skew_over_measured"] = statistics.median((one.recorded or 0) / one.sender for one in ours)
    return {name: value for name, value in found.items() if value is not None}


def slow_ratios(runs: Runs) -> dict[str, float]:
    """What it costs a slow reader that his release is long, where he has it sealed before T and where he has not."""
    found = {
        "sealed_1mb_opened_over_sealed_1kb": _ratio(runs, "sealed_1mb", "sealed_1kb", at="opened"),
        "plain_1mb_opened_over_sealed_1mb": _ratio(runs, "plain_1mb", "sealed_1mb", at="opened"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _ratio(runs: Runs, over: str, under: str, *, at: str = "sender") -> float | None:
    """None where a way was not measured, or sends one message, which has no skew."""
    if not all(way in run and run[way].count > 1 for way in (over, under) for run in runs):
        return None
    return statistics.median(float(getattr(run[over], at) / getattr(run[under], at)) for run in runs)


def _print_table(kind: str, count: int, runs: Runs) -> None:
    one = next(iter(runs[0].values()))
    mails = f"{one.count} message{'s' if one.count > 1 else ''} of {one.size:,} bytes"
    what = f"{KINDS[kind]}, {mails if kind == 'email_' else f'{one.size:,} bytes each'}"
    print(f"\n{f'{count:,} recipients, {what}':<62}{'sent':>10}{'received':>10}{'opened':>10}{'ledger':>10}")
    for way in (way for way in TITLES if way in runs[0]):
        figures = [f"{_median(runs, way, at):>10.2f}" for at in ("sender", "receivers", "opened")]
        own = f"{_median(runs, way, 'recorded'):>10.2f}" if runs[0][way].recorded is not None else ""
        print(f"  {TITLES[way]:<60}{''.join(figures)}{own}")


def _median(runs: Runs, way: str, at: str) -> float:
    return statistics.median(float(getattr(run[way], at)) for run in runs)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of other packages, at their import
    be_quiet()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
