"""Golden files of drift detectors and of prequential evaluation, by river 0.26.1.

pip install river==0.26.1; python tools/golden/drift.py packages/trainer/golden
"""
import json
import random
import sys
from pathlib import Path

from river import drift, metrics, utils

rng = random.Random(12345)
bits = [int(rng.random() < p) for p, n in ((0.1, 700), (0.35, 500), (0.15, 600), (0.6, 300)) for _ in range(n)]
reals = [round(rng.gauss(m, 1), 6) for m, n in ((0, 500), (1.5, 400), (1.5, 300), (-1, 500)) for _ in range(n)]


def detections(detector, values):
    """Indices of drifts and warnings."""
    drifts, warnings = [], []
    for i, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            drifts.append(i)
        elif getattr(detector, 'warning_detected', False):
            warnings.append(i)
    return {'drifts': drifts, 'warnings': warnings}


def windows(values, **options):
    """Drifts of ADWIN, and the width and mean of its window every 50 values."""
    detector, found, trace = drift.ADWIN(**options), [], []
    for i, value in enumerate(values):
        # river starts a new window after a drift; the window of the paper goes on, which is what is compared here
        if detector.drift_detected:
            detector._drift_detected = False
        detector.update(value)
        if detector.drift_detected:
            found.append(i)
        if i % 50 == 49:
            trace.append([detector.width, detector.estimation])
    return {'drifts': found, 'trace': trace}


def rolling(window):
    """Accuracy in a sliding window of predictions, every 50 rows."""
    metric, trace = utils.Rolling(metrics.Accuracy(), window_size=window), []
    for i, error in enumerate(bits):
        metric.update(1, 1 - error)
        if i % 50 == 49:
            trace.append(metric.get())
    return trace


golden = {
    'source': 'river 0.26.1',
    'bits': bits,
    'reals': reals,
    'ddm': detections(drift.binary.DDM(), bits),
    'ddmStrict': detections(drift.binary.DDM(warm_start=60, warning_threshold=1.5, drift_threshold=2.5), bits),
    'pageHinkley': detections(drift.PageHinkley(), reals),
    'pageHinkleyUp': detections(drift.PageHinkley(mode='up', threshold=20, delta=0.05, min_instances=50), reals),
    'adwinBits': windows(bits),
    'adwinReals': windows(reals, delta=0.01, clock=1, max_buckets=3, min_window_length=8, grace_period=20),
    'rolling': rolling(100),
}
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
(folder / 'drift.json').write_text(json.dumps(golden) + '\n')
