import { Skeleton } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type KeyboardEvent, type Ref } from 'react';
import { useTranslation } from 'react-i18next';

import type { Hit } from '../api';
import { FailureNote } from '../shell/Failure';
import type { Chosen } from './choice';
import classes from './ResultList.module.css';
import { ResultRow } from './ResultRow';

const rowHeight = 84;

type Props = {
  hits: Hit[];
  id: string | undefined;
  open: (id: string) => void;
  enter: () => void;
  more: { has: boolean; loading: boolean; error: unknown; load: () => void };
  listRef: Ref<HTMLDivElement>;
  resetKey: string;
  choice: { chosen: Chosen; toggle: (id: string) => void } | undefined;
};

export const rowId = (id: string) => `hit-${id}`;

// ResultList shows any number of results and keeps only the visible ones in the
// document. For assistive technology it is one list box whose chosen option is the
// opened message; those that are chosen for a bundle are checked.
export function ResultList({ hits, id, open, enter, more, listRef, resetKey, choice }: Props) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement | null>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer is used in this component only
  const rows = useVirtualizer({
    count: hits.length + (more.has ? 1 : 0),
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
  });
  const items = rows.getVirtualItems();
  const last = items[items.length - 1]?.index ?? 0;
  const wanted = more.has && !more.loading && !more.error && last >= hits.length - 10;
  const { load } = more;
  useEffect(() => {
    if (wanted) {
      load();
    }
  }, [wanted, load]);
  useEffect(() => {
    rows.scrollToOffset(0);
  }, [resetKey, rows]);
  const chosen = id ? hits.findIndex((h) => h.id === id) : -1;
  useEffect(() => {
    if (chosen >= 0) {
      rows.scrollToIndex(chosen, { align: 'auto' });
    }
  }, [chosen, rows]);
  const press = (event: KeyboardEvent) => {
    if (event.key === ' ' && id && choice) {
      event.preventDefault();
      choice.toggle(id);
    } else if (event.key === 'Enter' && chosen >= 0) {
      event.preventDefault();
      enter();
    } else if (event.key === 'Home' || event.key === 'End') {
      event.preventDefault();
      const target = event.key === 'Home' ? hits[0] : hits[hits.length - 1];
      if (target) {
        open(target.id);
      }
    }
  };
  const rendered = chosen >= 0 && items.some((item) => item.index === chosen);
  return (
    <div
      ref={(element) => {
        scroller.current = element;
        if (typeof listRef === 'function') {
          listRef(element);
        } else if (listRef) {
          listRef.current = element;
        }
      }}
      role="listbox"
      tabIndex={0}
      aria-label={t('search.results')}
      aria-activedescendant={rendered && id ? rowId(id) : undefined}
      className={classes.list}
      data-choosing={(choice && choice.chosen.size > 0) || undefined}
      onKeyDown={press}
    >
      <div role="presentation" style={{ height: rows.getTotalSize() }} className={classes.inner}>
        {items.map((item) => {
          const hit = hits[item.index];
          const place = { transform: `translateY(${item.start}px)`, height: rowHeight };
          if (!hit) {
            return (
              <div key="more" role="presentation" className={classes.waiting} style={place}>
                {more.error ? <FailureNote error={more.error} compact retry={load} /> : <Skeleton height={14} width="70%" />}
              </div>
            );
          }
          return (
            <div
              key={hit.id}
              id={rowId(hit.id)}
              role="option"
              aria-selected={hit.id === id}
              aria-checked={choice && choice.chosen.has(hit.id)}
              aria-setsize={more.has ? -1 : hits.length}
              aria-posinset={item.index + 1}
              className={classes.row}
              style={place}
              onClick={() => open(hit.id)}
            >
              {choice && (
                <span
                  aria-hidden
                  className={classes.choose}
                  onClick={(event) => {
                    event.stopPropagation();
                    choice.toggle(hit.id);
                  }}
                >
                  <span className={classes.box}>{choice.chosen.has(hit.id) && <IconCheck size={14} stroke={3} />}</span>
                </span>
              )}
              <ResultRow hit={hit} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

export function ResultSkeleton() {
  return (
    <div aria-hidden className={classes.list}>
      {Array.from({ length: 7 }, (_, i) => (
        <div key={i} className={classes.ghost}>
          <Skeleton height={13} width="45%" />
          <Skeleton height={13} width="80%" mt={9} />
          <Skeleton height={11} width="95%" mt={9} />
        </div>
      ))}
    </div>
  );
}
