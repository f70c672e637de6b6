import { ActionIcon, Button, Checkbox, Drawer, Group, NativeSelect, Stack, Text, Title, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { IconCertificate, IconFilter, IconInbox, IconMailSearch, IconSortAscending, IconSortDescending } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useRef, useState, type RefObject } from 'react';
import { useTranslation } from 'react-i18next';

import { GrantBanner } from '../access/GrantBanner';
import { requestQuery } from '../access/queries';
import { chosenAddress, exportAddress } from '../evidence/queries';
import { queryProblem } from '../failure';
import { formatNumber } from '../format';
import { rawAddress, searchAgain, searchQuery, type Order } from '../queries';
import { FailureNote, PageLoading } from '../shell/Failure';
import { useKeys } from '../shell/shortcuts';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { nothing, reach, toggled, toggledAll, type Chosen, type Reach } from './choice';
import { ChoiceBar } from './ChoiceBar';
import { Chips, QueryMistake } from './Conditions';
import { FacetPanel } from './FacetPanel';
import { ResultList, ResultSkeleton } from './ResultList';
import { SearchField, type SearchFieldHandle } from './SearchField';
import classes from './SearchPage.module.css';
import { useSearchState } from './useSearchState';

const MessagePane = lazy(() => import('../message/MessagePane').then((m) => ({ default: m.MessagePane })));

const mistakeId = 'query-mistake';

export function SearchPage() {
  const { t } = useTranslation();
  const { q, order, id, grant, search, sort, open, close } = useSearchState();
  useTitle(q || t('search.title'));
  const facetsBeside = useMediaQuery('(min-width: 1200px)', true, { getInitialValueInEffect: false });
  const [filters, setFilters] = useState(false);
  const field = useRef<SearchFieldHandle>(null);
  const list = useRef<HTMLDivElement>(null);
  const pane = useRef<HTMLElement>(null);
  const results = useInfiniteQuery(searchQuery(q, order));
  const { data, fetchNextPage } = results;
  const hits = useMemo(() => data?.pages.flatMap((page) => page.hits) ?? [], [data]);
  const shown = useMemo(() => hits.map((h) => h.id), [hits]);
  const problem = queryProblem(results.error);
  const choice = useChoice(grant);
  const mayExport = useMayExport(grant);

  useFocusWithMessage(id, list, pane);

  // Whoever searches for the same again wants to see what has arrived since.
  const submit = (next: string) => (next === q ? searchAgain() : search(next));
  const walk = (step: number) => {
    const at = hits.findIndex((h) => h.id === id);
    const next = hits[at < 0 ? 0 : at + step];
    if (next) {
      open(next.id);
    }
  };
  const enter = () => pane.current?.focus();
  const arrow = (step: number) => (event: KeyboardEvent) => {
    // Arrows scroll wherever the reader is, except in the list and on the bare page.
    if (event.target === document.body || event.target === list.current) {
      event.preventDefault();
      walk(step);
    }
  };
  useKeys({
    '/': (event) => { event.preventDefault(); field.current?.focus(); },
    j: () => walk(1),
    k: () => walk(-1),
    ArrowDown: arrow(1),
    ArrowUp: arrow(-1),
    Enter: (event) => {
      if (id && event.target === document.body) {
        enter();
      }
    },
    Escape: () => {
      if (id) {
        close();
      }
    },
    x: () => {
      if (id && mayExport) {
        choice.toggle(id);
      }
    },
    d: () => {
      if (id) {
        download(id);
      }
    },
  });
  const facets = <FacetPanel q={q} search={search} />;
  return (
    <div className={classes.page} data-open={id ? true : undefined}>
      <VisuallyHidden><Title order={1}>{t('search.title')}</Title></VisuallyHidden>
      <div className={classes.top}>
        {grant && <GrantBanner id={grant} />}
        <SearchField q={q} invalid={problem !== undefined} describedBy={problem ? mistakeId : undefined} search={submit} handle={field} />
        {problem && <QueryMistake q={q} problem={problem} search={search} id={mistakeId} />}
        {data?.pages[0] && !results.isPlaceholderData && <Chips q={q} chips={data.pages[0].chips} search={search} />}
      </div>
      <div className={classes.columns}>
        {facetsBeside && <aside className={classes.facets} aria-label={t('search.filters')}>{!problem && facets}</aside>}
        <main className={classes.results}>
          <Bar
            page={data?.pages[0]}
            order={order}
            sort={sort}
            filters={facetsBeside ? undefined : () => setFilters(true)}
            bundle={!mayExport || problem || hits.length === 0 ? undefined : exportAddress(q, grant)}
            all={mayExport && hits.length > 0 ? { reach: reach(choice.chosen, shown), toggle: () => choice.toggleAll(shown) } : undefined}
          />
          {mayExport && (
            <ChoiceBar
              chosen={choice.chosen}
              shown={shown}
              address={chosenAddress([...choice.chosen], grant)}
              clear={() => {
                choice.clear();
                list.current?.focus();
              }}
            />
          )}
          <Results state={results} hits={hits} q={q} clear={() => search('')} mistaken={problem !== undefined}>
            <ResultList
              hits={hits}
              id={id}
              open={open}
              enter={enter}
              listRef={list}
              choice={mayExport ? choice : undefined}
              resetKey={`${order} ${q} ${grant ?? ''}`}
              more={{ has: results.hasNextPage, loading: results.isFetchingNextPage, error: results.isFetchNextPageError ? results.error : undefined, load: fetchNextPage }}
            />
          </Results>
        </main>
        <section ref={pane} tabIndex={-1} className={classes.pane} aria-label={t('message.pane')}>
          {id ? <Suspense fallback={<PageLoading />}><MessagePane key={id} id={id} q={q} close={close} /></Suspense> : <NoMessage />}
        </section>
      </div>
      <Drawer
        opened={filters && !facetsBeside}
        onClose={() => setFilters(false)}
        title={t('search.filters')}
        size="min(320px, 90vw)"
        closeButtonProps={{ 'aria-label': t('app.close') }}
      >
        {facets}
      </Drawer>
    </div>
  );
}

// useChoice keeps which messages are chosen, over all searches. What was chosen of other
// people's mail does not outlast the access to it.
function useChoice(grant: string | undefined): { chosen: Chosen; toggle: (id: string) => void; toggleAll: (shown: readonly string[]) => void; clear: () => void } {
  const [state, setState] = useState({ grant, chosen: nothing });
  const chosen = state.grant === grant ? state.chosen : nothing;
  const set = (next: Chosen) => setState({ grant, chosen: next });
  return { chosen, toggle: (id) => set(toggled(chosen, id)), toggleAll: (shown) => set(toggledAll(chosen, shown)), clear: () => set(nothing) };
}

// useMayExport is true for one's own mail, and for what was approved for an export.
function useMayExport(grant: string | undefined): boolean {
  const request = useQuery(requestQuery(grant ?? ''));
  return grant === undefined || request.data?.kind === 'export';
}

// useFocusWithMessage lets the keyboard follow what is on the screen: into the
// message where it takes the place of the list, and back to the list when it closes.
function useFocusWithMessage(id: string | undefined, list: RefObject<HTMLElement | null>, pane: RefObject<HTMLElement | null>): void {
  const wasOpen = useRef(id !== undefined);
  useEffect(() => {
    const { activeElement } = document;
    if (id !== undefined) {
      if (list.current && getComputedStyle(list.current).visibility === 'hidden') {
        pane.current?.focus();
      }
    } else if (wasOpen.current && (activeElement === document.body || pane.current?.contains(activeElement))) {
      list.current?.focus();
    }
    wasOpen.current = id !== undefined;
  }, [id, list, pane]);
}

// download gets the original without leaving the page.
function download(id: string): void {
  const link = document.createElement('a');
  link.href = rawAddress(id);
  link.download = '';
  link.click();
}

type Page = { total: number; total_exact: boolean; milliseconds: number };

type BarProps = { page: Page | undefined; order: Order; sort: (order: Order) => void; filters: (() => void) | undefined; bundle: string | undefined; all: { reach: Reach; toggle: () => void } | undefined };

function Bar({ page, order, sort, filters, bundle, all }: BarProps) {
  const { t, i18n } = useTranslation();
  let total = '';
  if (page) {
    const number = formatNumber(page.total, i18n.language);
    total = page.total_exact ? t('search.count', { count: page.total, number }) : t('search.countMore', { number });
  }
  return (
    <div className={classes.bar}>
      <div className={classes.total}>
        {all && (
          <Checkbox
            size="xs"
            classNames={{ root: classes.all }}
            aria-label={t('search.chooseAll')}
            title={t('search.chooseAll')}
            checked={all.reach === 'all'}
            indeterminate={all.reach === 'some'}
            onChange={all.toggle}
          />
        )}
        <Text size="sm" fw={600} span aria-live="polite" role="status">{total}</Text>
        {page && <Text size="xs" c="dimmed" span className={classes.took}>{t('search.took', { number: formatNumber(Math.max(1, Math.round(page.milliseconds)), i18n.language) })}</Text>}
      </div>
      <Group gap={6} wrap="nowrap">
        {bundle && <ActionIcon component="a" href={bundle} download variant="subtle" color="gray" size="lg" aria-label={t('search.bundle')} title={t('search.bundle')}><IconCertificate size={18} aria-hidden /></ActionIcon>}
        {filters && <ActionIcon variant="subtle" color="gray" size="lg" className={classes.narrow} aria-label={t('search.filters')} onClick={filters}><IconFilter size={18} aria-hidden /></ActionIcon>}
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          className={classes.narrow}
          aria-label={`${t('search.order')}: ${t(`search.${order}`)}`}
          onClick={() => sort(order === 'newest' ? 'oldest' : 'newest')}
        >
          {order === 'newest' ? <IconSortDescending size={18} aria-hidden /> : <IconSortAscending size={18} aria-hidden />}
        </ActionIcon>
        {filters && <Button className={classes.roomy} variant="subtle" color="gray" size="compact-sm" leftSection={<IconFilter size={16} aria-hidden />} onClick={filters}>{t('search.filters')}</Button>}
        <NativeSelect
          className={classes.roomy}
          size="xs"
          variant="unstyled"
          aria-label={t('search.order')}
          value={order}
          onChange={(event) => sort(event.currentTarget.value === 'oldest' ? 'oldest' : 'newest')}
          data={[{ value: 'newest', label: t('search.newest') }, { value: 'oldest', label: t('search.oldest') }]}
        />
      </Group>
    </div>
  );
}

type ResultsProps = {
  state: { isPending: boolean; error: unknown; refetch: () => unknown; isPlaceholderData: boolean };
  hits: unknown[];
  q: string;
  clear: () => void;
  mistaken: boolean;
  children: React.ReactNode;
};

function Results({ state, hits, q, clear, mistaken, children }: ResultsProps) {
  const late = useLate(state.isPending);
  if (hits.length > 0) {
    return <div className={classes.listArea} data-stale={state.isPlaceholderData || undefined}>{children}</div>;
  }
  if (state.isPending) {
    return late ? <ResultSkeleton /> : null;
  }
  if (mistaken) {
    return null;
  }
  if (state.error) {
    return <div className={classes.note}><FailureNote error={state.error} retry={() => void state.refetch()} /></div>;
  }
  return <Empty q={q} clear={clear} />;
}

function Empty({ q, clear }: { q: string; clear: () => void }) {
  const { t } = useTranslation();
  const auditor = useAccount().role === 'auditor' && !q; // who came for other people's mail
  return (
    <Stack align="center" gap="xs" className={classes.empty}>
      {q ? <IconMailSearch size={40} stroke={1.2} aria-hidden /> : <IconInbox size={40} stroke={1.2} aria-hidden />}
      <Title order={2} size="h4">{t(q ? 'search.empty' : 'search.emptyArchive')}</Title>
      <Text size="sm" c="dimmed" maw={360}>{t(q ? 'search.emptyHint' : 'search.emptyArchiveHint')}</Text>
      {q && <Button variant="default" size="xs" onClick={clear}>{t('search.clearAll')}</Button>}
      {auditor && <><Text size="sm" c="dimmed" maw={360}>{t('search.othersMail')}</Text><Button variant="default" size="xs" renderRoot={(props) => <Link to="/access" {...props} />}>{t('search.toAccess')}</Button></>}
    </Stack>
  );
}

function NoMessage() {
  const { t } = useTranslation();
  return (
    <Stack align="center" gap="xs" className={classes.empty}>
      <IconInbox size={40} stroke={1.2} aria-hidden />
      <Title order={2} size="h4">{t('message.none')}</Title>
      <Text size="sm" c="dimmed" maw={320}>{t('message.noneHint')}</Text>
    </Stack>
  );
}
