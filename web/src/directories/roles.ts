import { useTranslation } from 'react-i18next';

const roles = ['user', 'tenant-admin', 'auditor', 'dpo'] as const;

// useRoleName returns what a role is called.
export function useRoleName() {
  const { t } = useTranslation();
  return (name: string | undefined) => t(`directories.roles.${roles.find((r) => r === name) ?? 'user'}`);
}
