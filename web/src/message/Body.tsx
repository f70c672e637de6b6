import { Button, Skeleton, Table, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { IconWorldOff, IconWorld } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Message } from '../api';
import { formatNumber } from '../format';
import { htmlAddress, sourceQuery } from '../queries';
import { views, type View } from '../router';
import { Marked } from '../search/Marked';
import { FailureNote } from '../shell/Failure';
import { useLate } from '../shell/useLate';
import { Details } from './Details';
import classes from './Body.module.css';

const route = getRouteApi('/frame/');

// Body shows the message in one of several ways; which one is part of the address.
export function Body({ message, q }: { message: Message; q: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const wanted = route.useSearch().view;
  const first: View = message.has_html ? 'html' : message.file ? 'details' : 'text';
  // A document has no header, and its source is what the download gives.
  const offered = views.filter((v) => (v !== 'html' || message.has_html) && (!message.file || v === 'html' || v === 'details'));
  const view = offered.find((v) => v === wanted) ?? first;
  const choose = (next: string | null) =>
    void navigate({
      to: '/',
      replace: true,
      search: (old) => {
        const rest = { ...old };
        delete rest.view;
        const chosen = views.find((v) => v === next);
        return chosen && chosen !== first ? { ...rest, view: chosen } : rest;
      },
    });
  return (
    <Tabs value={view} onChange={choose} keepMounted={false} style={{ '--tabs-color': 'var(--m-accent)' }} className={classes.tabs} classNames={{ list: classes.list, panel: classes.panel }}>
      <Tabs.List aria-label={t('message.view')}>
        {offered.map((v) => <Tabs.Tab key={v} value={v}>{message.file && v === 'html' ? t('documents.preview') : t(`message.${v}`)}</Tabs.Tab>)}
      </Tabs.List>
      {message.has_html && <Tabs.Panel value="html"><Formatted message={message} /></Tabs.Panel>}
      <Tabs.Panel value="text"><PlainText message={message} marked={q !== ''} /></Tabs.Panel>
      <Tabs.Panel value="headers"><Headers message={message} /></Tabs.Panel>
      <Tabs.Panel value="source"><Source message={message} /></Tabs.Panel>
      <Tabs.Panel value="details"><Details message={message} /></Tabs.Panel>
    </Tabs>
  );
}

// Formatted shows the HTML of a mail in a frame that may run nothing, knows no
// origin and has a content security policy of its own. Remote content is loaded
// only on demand, and the demand does not outlive the view.
function Formatted({ message }: { message: Message }) {
  const { t, i18n } = useTranslation();
  const [remote, setRemote] = useState(false);
  return (
    <div className={classes.formatted}>
      {message.remote > 0 && (
        <div className={classes.remote} role="status">
          {remote ? <IconWorld size={18} aria-hidden className={classes.world} /> : <IconWorldOff size={18} aria-hidden className={classes.world} />}
          <Text size="sm" className={classes.remoteText}>
            {remote ? t('message.remoteShown') : t('message.remoteBlocked', { count: message.remote, number: formatNumber(message.remote, i18n.language) })}
          </Text>
          <Button size="compact-sm" variant="default" onClick={() => setRemote(!remote)}>{t(remote ? 'message.remoteHide' : 'message.remoteShow')}</Button>
        </div>
      )}
      <iframe
        key={String(remote)}
        className={classes.frame}
        title={t(message.file ? 'documents.preview' : 'message.frame')}
        src={htmlAddress(message.id, remote)}
        sandbox="allow-popups allow-popups-to-escape-sandbox"
        referrerPolicy="no-referrer"
      />
    </div>
  );
}

function PlainText({ message, marked }: { message: Message; marked: boolean }) {
  const { t } = useTranslation();
  if (message.text.trim() === '') {
    return <Text size="sm" c="dimmed" fs="italic">{t('message.noText')}</Text>;
  }
  return <div className={classes.text} dir="auto" tabIndex={0} role="region" aria-label={t('message.text')}><Marked text={message.text} marks={marked ? message.text_marks : []} /></div>;
}

function Headers({ message }: { message: Message }) {
  const { t } = useTranslation();
  return (
    <Table layout="fixed" verticalSpacing={6} className={classes.headers} fz="sm">
      <Table.Thead>
        <Table.Tr><Table.Th className={classes.name}>{t('message.headerName')}</Table.Th><Table.Th>{t('message.headerValue')}</Table.Th></Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {message.headers.map((h, i) => (
          <Table.Tr key={i}><Table.Th scope="row" className={classes.name}>{h.name}</Table.Th><Table.Td className={classes.value}>{h.value}</Table.Td></Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

const sourceLimit = 1 << 20; // what the server gives for showing

function Source({ message }: { message: Message }) {
  const { t } = useTranslation();
  const source = useQuery(sourceQuery(message.id));
  const late = useLate(source.isPending);
  if (source.error) {
    return <FailureNote error={source.error} retry={() => void source.refetch()} />;
  }
  if (source.data === undefined) {
    return late ? <Skeleton height={240} aria-hidden /> : null;
  }
  return (
    <>
      {message.size > sourceLimit && <Text size="sm" c="dimmed" mb="xs">{t('message.sourceLimit')}</Text>}
      <pre className={classes.source} tabIndex={0} role="region" aria-label={t('message.source')}>{source.data}</pre>
    </>
  );
}
