/**
 * Draws horizontal bars as SVG: a group for each label, and in it a bar for each series. The chart has its own colours for light and dark pages
 * and needs no web font, because it is shown in an <img>. Pure.
 */

export interface BarChart {
  readonly title: string;
  /** One line that says which quantity is shown, and which direction is better. */
  readonly subtitle: string;
  readonly series: readonly string[];
  readonly groups: readonly BarGroup[];
}

export interface BarGroup {
  readonly label: string;
  /** True if the group is drawn in the accent colour. */
  readonly isOwn: boolean;
  /** A value for each series; null if it was not measured. */
  readonly values: readonly (number | null)[];
}

const width = 760;
/** Enough for the longest name in DejaVu Sans, a wide font that system-ui may stand for on Linux. */
const labelWidth = 220;
const valueWidth = 64;
const barHeight = 11;
const barGap = 2;
const groupGap = 12;
const headHeight = 52;
const legendHeight = 24;

/** The opacity of each series. */
const strengths = [1, 0.65, 0.4] as const;

export function drawBars({ title, subtitle, series, groups }: BarChart): string {
  const all = groups.flatMap(({ values }) => values.map((value) => value ?? 0));
  const end = scaleEnd(all);
  const scale = (value: number): number => Math.min(1, value / end) * (width - labelWidth - valueWidth);
  const note = all.some((value) => value > end) ? ` ${beyond} goes beyond the chart.` : '';
  const groupHeight = series.length * (barHeight + barGap) + groupGap;
  const top = headHeight + (series.length > 1 ? legendHeight : 0);
  const height = top + groups.length * groupHeight + 4;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    style,
    text(0, 18, 'title', title),
    text(0, 37, 'quiet', subtitle + note),
    ...(series.length > 1 ? drawLegend(series) : []),
    ...groups.flatMap((group, at) => drawGroup(group, top + at * groupHeight, scale, end)),
    '</svg>',
    '',
  ].join('\n');
}

const beyond = '\u00bb';

/** Returns the value at the end of the scale: the maximum or, if that is so large that the others would look alike, a little more than the second largest. */
function scaleEnd(values: readonly number[]): number {
  const [first = 1, second = first] = [...values].sort((one, other) => other - one);
  return second > 0 && first > 4 * second ? 1.25 * second : Math.max(1, first);
}

/** GitHub's greys and blues, so that a chart matches the text around it. */
const style = `<style>
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { font-size: 12px; fill: #59636e; }
  .value { font-size: 11px; fill: #59636e; }
  .label { text-anchor: end; }
  .own-label { text-anchor: end; font-weight: 600; }
  .own { fill: #0969da; }
  .other { fill: #818b98; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet, .value { fill: #9198a1; }
    .own { fill: #4493f8; }
    .other { fill: #8b949e; }
  }
</style>`;

function drawLegend(series: readonly string[]): readonly string[] {
  let x = 0;
  return series.flatMap((name, at) => {
    const box = rect(x, 50, 11, 'other', at);
    const label = text(x + 16, 60, 'quiet', name);
    x += 16 + name.length * 6.4 + 22;
    return [box, label];
  });
}

function drawGroup(
  { label, isOwn, values }: BarGroup,
  top: number,
  scale: (value: number) => number,
  end: number,
): readonly string[] {
  const middle = top + (values.length * (barHeight + barGap)) / 2 + 4;
  const bars = values.flatMap((value, at) => {
    const y = top + at * (barHeight + barGap);
    if (value === null) return [text(labelWidth, y + barHeight - 1, 'value', 'not measured')];
    const length = Math.max(value > 0 ? 1.5 : 0, scale(value));
    return [
      rect(labelWidth, y, length, isOwn ? 'own' : 'other', at),
      text(
        labelWidth + length + 5,
        y + barHeight - 1.5,
        'value',
        value > end ? `${write(value)} ${beyond}` : write(value),
      ),
    ];
  });
  return [text(labelWidth - 12, middle, isOwn ? 'own-label' : 'label', label), ...bars];
}

function rect(x: number, y: number, length: number, kind: string, series: number): string {
  const strength = strengths[series] ?? 0.2;
  return `<rect class="${kind}" x="${round(x)}" y="${round(y)}" width="${round(length)}" height="${barHeight}" opacity="${strength}"/>`;
}

function text(x: number, y: number, kind: string, content: string): string {
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}">${escape(content)}</text>`;
}

function write(value: number): string {
  return Number.isInteger(value) || value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
