import { Alert, Button, Text } from '@mantine/core';
import { IconAlertTriangle, IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { JournalRecipient, JournalRecord } from '../api';
import { plain } from '../format';
import { reportAddress } from '../queries';
import classes from './MessagePane.module.css';

const roles = ['to', 'cc', 'bcc', 'recipient'] as const;
const forms = ['exchange2003', 'exchange2007', 'm365', 'piler'] as const;
const few = 20; // recipients of one role that are named; the report has all

// JournalRecordNote tells in words what a journal report said of the arrival.
export function JournalRecordNote({ message, capture, journal }: { message: string; capture: string; journal: JournalRecord }) {
  const { t } = useTranslation();
  const form = forms.find((f) => f === journal.form);
  const program = form ? t(`proof.form.${form}`) : journal.form;
  if (journal.problem) {
    return (
      <Alert variant="light" color="orange" mt={6} py={8} icon={<IconAlertTriangle size={18} aria-hidden />}>
        <Text size="sm">{t('proof.reportProblem')}</Text>
        <Text size="xs" mt={4} className={classes.breakable}>{plain(journal.problem)}</Text>
      </Alert>
    );
  }
  return (
    <div>
      <dl className={classes.facts}>
        <div className={classes.fact}>
          <dt>{t('proof.journal')}</dt>
          <dd>
            {t('proof.journalSent', { program, sender: plain(journal.sender) || t('proof.emptyEnvelope') })}
            {journal.on_behalf_of && `, ${t('proof.journalBehalf', { person: plain(journal.on_behalf_of) })}`}
            {journal.decrypted && <Text size="sm">{t('proof.decrypted')}</Text>}
            {journal.ndr && <Text size="sm">{t('proof.ndr')}</Text>}
          </dd>
        </div>
        {roles.map((role) => <Recipients key={role} role={role} recipients={journal.recipients.filter((r) => r.role === role)} />)}
        {journal.mailbox && <div className={classes.fact}><dt>{t('proof.journalMailbox')}</dt><dd>{plain(journal.mailbox)}</dd></div>}
        {journal.label && <div className={classes.fact}><dt>{t('proof.journalLabel')}</dt><dd>{plain(journal.label)}</dd></div>}
      </dl>
      {journal.has_report && (
        <Button component="a" href={reportAddress(message, capture)} download variant="default" size="xs" mt={4} leftSection={<IconDownload size={16} aria-hidden />}>
          {t('proof.report')}
        </Button>
      )}
    </div>
  );
}

function Recipients({ role, recipients }: { role: (typeof roles)[number]; recipients: readonly JournalRecipient[] }) {
  const { t } = useTranslation();
  if (recipients.length === 0) {
    return null;
  }
  const rest = recipients.length - few;
  return (
    <div className={classes.fact}>
      <dt>{t(`proof.journalRole.${role}`)}</dt>
      <dd>
        {recipients.slice(0, few).map((r, i) => <div key={i}><Recipient recipient={r} /></div>)}
        {rest > 0 && <div>{t('proof.moreRecipients', { count: rest })}</div>}
      </dd>
    </div>
  );
}

function Recipient({ recipient: { address, via, through } }: { recipient: JournalRecipient }) {
  const { t } = useTranslation();
  const person = plain(address);
  if (via === 'expanded' && through) {
    return t('proof.expanded', { address: person, list: plain(through) });
  }
  if (via === 'forwarded' && through) {
    return t('proof.forwarded', { address: person, mailbox: plain(through) });
  }
  return person;
}
