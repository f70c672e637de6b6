import { ActionIcon, Button, Combobox, Group, Text, TextInput, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { IconAt, IconCalendar, IconFolder, IconSearch, IconTag, IconX } from '@tabler/icons-react';
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, type FormEvent, type Ref } from 'react';
import { useTranslation } from 'react-i18next';

import type { Suggestion } from '../api';
import { suggestQuery } from '../queries';
import { characters, replaceRange, unitOffset } from './queryText';
import classes from './SearchField.module.css';

export type SearchFieldHandle = { focus: () => void };

type Props = { q: string; invalid: boolean; describedBy: string | undefined; search: (q: string) => void; handle: Ref<SearchFieldHandle> };

const icons = { operator: IconTag, person: IconAt, category: IconFolder, year: IconCalendar, value: IconSearch };

// SearchField is the one field for everything. While somebody types it suggests
// operators and values; Enter searches.
export function SearchField({ q, invalid, describedBy, search, handle }: Props) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState(q);
  const [shown, setShown] = useState(q);
  const [caret, setCaret] = useState(characters(q));
  const wantedCaret = useRef<number>(undefined);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  if (shown !== q) { // another search came from the address, a chip or a facet
    setShown(q);
    setDraft(q);
  }
  useImperativeHandle(handle, () => ({ focus: () => input.current?.select() }));
  useLayoutEffect(() => {
    if (wantedCaret.current !== undefined) {
      const at = unitOffset(draft, wantedCaret.current);
      input.current?.setSelectionRange(at, at);
      wantedCaret.current = undefined;
    }
  }, [draft]);
  const [asked] = useDebouncedValue(`${caret} ${draft}`, 120);
  const [pos, text] = [Number(asked.slice(0, asked.indexOf(' '))), asked.slice(asked.indexOf(' ') + 1)];
  const suggestions = useQuery({ ...suggestQuery(text, pos), enabled: combobox.dropdownOpened });
  const fresh = text === draft && !suggestions.isPlaceholderData;
  const list = suggestions.data?.suggestions ?? [];
  useEffect(() => {
    combobox.resetSelectedOption();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the store is another object on every render
  }, [suggestions.data]);

  const place = () => setCaret(characters(draft.slice(0, input.current?.selectionStart ?? draft.length)));
  const choose = (index: string) => {
    const s = list[Number(index)];
    if (!s || !fresh) {
      return;
    }
    const after = s.kind === 'operator' && s.insert.endsWith(':') ? '' : ' ';
    const next = replaceRange(draft, s.start, s.end, s.insert + after);
    const at = s.start + characters(s.insert + after);
    setDraft(next);
    setCaret(at);
    wantedCaret.current = at;
    if (after) {
      combobox.closeDropdown();
    }
    input.current?.focus();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    combobox.closeDropdown();
    search(draft.trim());
  };
  return (
    <form role="search" aria-label={t('search.field')} onSubmit={submit} className={classes.form}>
      <Combobox store={combobox} onOptionSubmit={choose} withinPortal shadow="md" offset={4} transitionProps={{ duration: 0 }}>
        <Combobox.Target withExpandedAttribute autoComplete="off">
          <TextInput
            ref={input}
            className={classes.field}
            size="md"
            role="combobox"
            aria-label={t('search.field')}
            aria-describedby={describedBy}
            aria-invalid={invalid}
            error={invalid}
            placeholder={t('search.placeholder')}
            value={draft}
            maxLength={4096}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="none"
            enterKeyHint="search"
            leftSection={<IconSearch size={18} aria-hidden />}
            rightSection={
              draft && (
                <ActionIcon variant="subtle" color="gray" aria-label={t('search.clear')} onClick={() => { setDraft(''); search(''); input.current?.focus(); }}>
                  <IconX size={16} aria-hidden />
                </ActionIcon>
              )
            }
            onChange={(event) => {
              setDraft(event.currentTarget.value);
              setCaret(characters(event.currentTarget.value.slice(0, event.currentTarget.selectionStart ?? undefined)));
              combobox.openDropdown();
            }}
            onSelect={place}
            onClick={() => combobox.openDropdown()}
            onBlur={() => combobox.closeDropdown()}
            onKeyDown={(event) => {
              if (event.key === 'Escape' && !combobox.dropdownOpened) {
                input.current?.blur();
              }
            }}
          />
        </Combobox.Target>
        <Combobox.Dropdown hidden={list.length === 0}>
          <Combobox.Options mah={360} className={classes.options} aria-busy={!fresh} aria-label={t('search.suggestions')}>
            {list.map((s, i) => <SuggestionOption key={`${s.kind} ${s.insert}`} suggestion={s} value={String(i)} />)}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
      <Button type="submit" size="md" className={classes.button}>{t('search.submit')}</Button>
    </form>
  );
}

function SuggestionOption({ suggestion, value }: { suggestion: Suggestion; value: string }) {
  const { t } = useTranslation();
  const Icon = icons[suggestion.kind];
  return (
    <Combobox.Option value={value}>
      <Group gap="sm" wrap="nowrap">
        <Icon size={16} aria-label={t(`search.kind.${suggestion.kind}`)} role="img" className={classes.icon} />
        <Text size="sm" fw={500} span className={classes.label}>{suggestion.label}</Text>
        <Text size="xs" c="dimmed" span truncate>{suggestion.explanation}</Text>
      </Group>
    </Combobox.Option>
  );
}
