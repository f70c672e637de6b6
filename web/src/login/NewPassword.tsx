import { PasswordInput, Stack } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { wrongFields } from '../failure';

// minLength is the number of characters a password needs at least; the server decides.
const minLength = 10;

// NewPassword asks for a new password twice. ready gets it as soon as both are alike and
// long enough, else an empty one.
export function NewPassword({ error, field, ready }: { error: unknown; field: 'password' | 'new'; ready: (password: string) => void }) {
  const { t } = useTranslation();
  const [first, setFirst] = useState('');
  const [second, setSecond] = useState('');
  const [left, setLeft] = useState(false);
  const tell = (a: string, b: string) => ready(a === b && [...a].length >= minLength ? a : '');
  const refused = wrongFields(error).includes(field);
  const short = first !== '' && [...first].length < minLength;
  const hidden = { 'aria-hidden': true, tabIndex: -1 } as const;
  return (
    <Stack>
      <PasswordInput
        label={t('logins.newPassword')}
        description={t('logins.passwordRule', { count: minLength })}
        value={first}
        onChange={(e) => { setFirst(e.currentTarget.value); tell(e.currentTarget.value, second); }}
        error={refused ? t('logins.passwordRefused') : short && left ? t('logins.passwordShort', { count: minLength }) : undefined}
        onBlur={() => setLeft(true)}
        autoComplete="new-password"
        maxLength={1024}
        visibilityToggleButtonProps={hidden}
      />
      <PasswordInput
        label={t('logins.repeatPassword')}
        value={second}
        onChange={(e) => { setSecond(e.currentTarget.value); tell(first, e.currentTarget.value); }}
        error={second !== '' && second.length >= first.length && second !== first ? t('logins.passwordDiffers') : undefined}
        autoComplete="new-password"
        maxLength={1024}
        visibilityToggleButtonProps={hidden}
      />
    </Stack>
  );
}
