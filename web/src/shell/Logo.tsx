import type { Branding } from '../api';
import classes from './Logo.module.css';

// Logo is an archive box that is an envelope, or the picture of a reseller.
export function Logo({ size = 28, branding }: { size?: number; branding?: Branding | undefined }) {
  if (branding?.logo) {
    return <img src={`/api/v1/logos/${branding.logo}`} height={size} alt="" className={classes.own} />;
  }
  return <img src="/favicon.svg" width={size} height={size} alt="" />;
}
