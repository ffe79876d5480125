#!/usr/bin/env python3
"""Draws what tests/bench/fleet printed: fleet_plot.py FIGURES.jsonl > fleet.svg

One panel a figure, over the number of gateways, both axes logarithmic. The title line names the machine.
"""

import json
import math
import os
import platform
import sys

PANELS = [
    ("import, gateways/s", lambda f: {"": f["import"]["per_second"]}),
    ("change until live, ms", lambda f: {"p50": f["change"]["p50_ms"], "p99": f["change"]["p99_ms"]}),
    ("create until 200, ms", lambda f: {"p50": f["create_to_200"]["p50_ms"], "p99": f["create_to_200"]["p99_ms"]}),
    ("node until ready, s", lambda f: {"empty": f["ready_from_empty_s"], "disk": f["ready_from_disk_s"]}),
    ("memory, MB", lambda f: {"node": f["node_rss_mb"], "control plane": f["control_plane_rss_mb"]}),
    ("bytes a change", lambda f: {"": f["bytes_per_change"]}),
]
WIDTH, HEIGHT, MARGIN, COLUMNS = 300, 220, 48, 3
COLOURS = ["#1f6feb", "#d1242f"]


def logarithm(value):
    return math.log10(max(value, 1e-3))


def panel(title, read, figures, left, top):
    sizes = [figure["gateways"] for figure in figures]
    rows = [read(figure) for figure in figures]
    values = [value for row in rows for value in row.values()]
    low, high = math.floor(min(map(logarithm, values))), math.ceil(max(map(logarithm, values)) + 1e-9)
    high = max(high, low + 1)
    first, last = logarithm(min(sizes)), max(logarithm(max(sizes)), logarithm(min(sizes)) + 1)

    def x(size):
        return left + MARGIN + (WIDTH - MARGIN - 12) * (logarithm(size) - first) / (last - first)

    def y(value):
        return top + HEIGHT - 28 - (HEIGHT - 64) * (logarithm(value) - low) / (high - low)

    out = [f'<text x="{left + MARGIN}" y="{top + 18}" class="title">{title}</text>']
    for power in range(low, high + 1):
        at = y(10**power)
        out.append(f'<path d="M{left + MARGIN} {at:.1f}H{left + WIDTH - 12}" class="grid"/>')
        out.append(f'<text x="{left + MARGIN - 4}" y="{at + 4:.1f}" class="y">{10**power:g}</text>')
    for size in sizes:
        out.append(f'<text x="{x(size):.1f}" y="{top + HEIGHT - 12}" class="x">{size:,}</text>')
    for index, name in enumerate(rows[0]):
        points = [(x(size), y(row[name])) for size, row in zip(sizes, rows)]
        line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[index]}" stroke-width="2"/>')
        out += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{COLOURS[index]}"/>' for px, py in points]
        out.append(f'<text x="{left + MARGIN + 110 * index}" y="{top + 34}" fill="{COLOURS[index]}">{name}</text>')
    return out


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        figures = [json.loads(line) for line in lines if line.startswith('{"gateways"')]
    rows = -(-len(PANELS) // COLUMNS)
    body = []
    for index, (title, read) in enumerate(PANELS):
        body += panel(title, read, figures, WIDTH * (index % COLUMNS), 24 + HEIGHT * (index // COLUMNS))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}; by gateways in the fleet"
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * COLUMNS}" height="{24 + HEIGHT * rows}" '
          'font-family="sans-serif" font-size="11">')
    print('<style>.title{font-weight:bold}.y{text-anchor:end}.x{text-anchor:middle}.grid{stroke:#ddd}</style>')
    print('<rect width="100%" height="100%" fill="white"/>')
    print(f'<text x="12" y="16">{machine}</text>')
    print("\n".join(body))
    print("</svg>")


if __name__ == "__main__":
    main()
