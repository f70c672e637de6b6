import { Button, Checkbox, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { queryOptions, useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { changeMailRules, getMailRules, type MailRules as Rules } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Refusal } from '../tenants/Parts';
import classes from './Site.module.css';

const mailRulesQuery = queryOptions({
  queryKey: ['mail-rules'],
  queryFn: ({ signal }) => ask(getMailRules({ signal })),
  staleTime: 0,
});

// MailRules lets an operator say what holds for the domains of all customers.
export function MailRules() {
  const { t } = useTranslation();
  const rules = useQuery(mailRulesQuery);
  const [saved, setSaved] = useState(false);
  return (
    <Paper withBorder p="md" radius="md" mt="lg" component="section" aria-labelledby="mail-rules" className={classes.panel}>
      <Title order={2} size="h4" mb="md" id="mail-rules">{t('mailRules.title')}</Title>
      {rules.error && <FailureNote error={rules.error} retry={() => void rules.refetch()} />}
      {rules.data && <Form key={`${rules.data.journal_domain} ${String(rules.data.proof_needed)}`} rules={rules.data} done={setSaved} />}
      <div role="status">{saved && <Text size="sm" mt="md">{t('mailRules.saved')}</Text>}</div>
    </Paper>
  );
}

// Form begins anew with what was saved, so whoever shows it says that it was.
function Form({ rules, done }: { rules: Rules; done: (saved: boolean) => void }) {
  const { t } = useTranslation();
  const [journal, setJournal] = useState(rules.journal_domain);
  const [needed, setNeeded] = useState(rules.proof_needed);
  const save = useMutation({
    mutationFn: () => ask(changeMailRules({ body: { journal_domain: journal, proof_needed: needed } })),
    onMutate: () => done(false),
    onSuccess: (saved) => {
      queries.setQueryData(mailRulesQuery.queryKey, saved);
      done(true);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="md">
        <TextInput label={t('mailRules.journal')} description={t('mailRules.journalHint', { domain: rules.configured })} value={journal} maxLength={300} autoCapitalize="none" spellCheck={false}
          onChange={(e) => setJournal(e.currentTarget.value)} />
        <Checkbox label={t('mailRules.proof')} description={t('mailRules.proofHint')} checked={needed} onChange={(e) => setNeeded(e.currentTarget.checked)} />
        {save.error && <Refusal error={save.error} />}
        <div><Button type="submit" loading={save.isPending}>{t('mailRules.save')}</Button></div>
      </Stack>
    </form>
  );
}
