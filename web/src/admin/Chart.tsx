import { useState, type KeyboardEvent } from 'react';

import { roof } from './periods';
import classes from './Chart.module.css';

export type Mark = { name: string; short: string; text: string };

type ChartProps = {
  label: string;
  marks: readonly Mark[];
  bars?: readonly number[];
  lines?: readonly { values: readonly (number | undefined)[]; strong: boolean }[];
  scale: (n: number) => string;
};

const height = 100; // of the drawing; the page stretches it

// Chart draws bars or lines over periods. It is a slider for keyboards and for those who
// hear it: the arrows go from one period to the next, and what is there is said below.
export function Chart({ label, marks, bars, lines = [], scale }: ChartProps) {
  const last = marks.length - 1;
  const [chosen, setChosen] = useState<number>();
  const at = Math.min(chosen ?? last, last);
  const top = roof(Math.max(0, ...(bars ?? []), ...lines.flatMap((l) => l.values.map((v) => v ?? 0))));
  const y = (n: number) => height - (n / top) * height;
  const keys = (event: KeyboardEvent) => {
    const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: last }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      setChosen(Math.max(0, Math.min(last, to)));
    }
  };
  return (
    <div className={classes.chart}>
      <div className={classes.scale} aria-hidden><span>{scale(top)}</span><span>{scale(top / 2)}</span><span>{scale(0)}</span></div>
      <div className={classes.area} role="slider" tabIndex={0} aria-label={label} aria-valuemin={1} aria-valuemax={marks.length} aria-valuenow={at + 1} aria-valuetext={marks[at]?.text} onKeyDown={keys}
        onPointerLeave={() => setChosen(undefined)}>
        <svg viewBox={`0 0 ${marks.length * 10} ${height}`} preserveAspectRatio="none" aria-hidden className={classes.drawing}>
          {[0, 0.5].map((f) => <line key={f} x1={0} x2={marks.length * 10} y1={f * height} y2={f * height} className={classes.grid} />)}
          {bars?.map((n, i) => <rect key={i} x={i * 10 + 1} width={8} y={n > 0 ? Math.min(y(n), height - 1) : height} height={n > 0 ? Math.max(1, height - y(n)) : 0} className={classes.bar} />)}
          {lines.map((l) => <polyline key={String(l.strong)} points={l.values.flatMap((v, i) => (v === undefined ? [] : [`${i * 10 + 5},${y(v)}`])).join(' ')} className={l.strong ? classes.strong : classes.faint} />)}
          <rect x={at * 10} width={10} y={0} height={height} className={classes.cursor} data-shown={chosen !== undefined || undefined} />
          {marks.map((_, i) => <rect key={i} x={i * 10} width={10} y={0} height={height} fill="transparent" onPointerEnter={() => setChosen(i)} onPointerDown={() => setChosen(i)} />)}
        </svg>
      </div>
      <div className={classes.names} aria-hidden><span>{marks[0]?.short}</span><span>{marks[Math.floor(last / 2)]?.short}</span><span>{marks[last]?.short}</span></div>
      <div className={classes.told} aria-hidden>{marks[at]?.text}</div>
    </div>
  );
}
