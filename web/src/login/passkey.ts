import { browserSupportsWebAuthn, startAuthentication, startRegistration, type PublicKeyCredentialCreationOptionsJSON, type PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/browser';

import { addPasskey, beginAddPasskey, beginPasskey, finishLogIn, logInByPasskey, type Account, type FactorAdded, type PasskeyOptions } from '../api';
import { ask } from '../failure';

// Abandoned is thrown when no passkey was used: the user has stopped, or there is none.
export class Abandoned extends Error {}

// canPasskey reports whether passkeys can be used here: they belong to the host name
// that the archive is known under.
export function canPasskey(host: string | undefined): boolean {
  return host !== undefined && browserSupportsWebAuthn() && window.location.hostname === host;
}

type Json = Record<string, unknown>;

async function withBrowser<T extends object>(act: () => Promise<T>): Promise<Json> {
  try {
    return Object.fromEntries(Object.entries(await act())) as Json;
  } catch (cause) {
    throw new Abandoned('no passkey was used', { cause });
  }
}

const requestOf = (o: PasskeyOptions) => o.options as unknown as PublicKeyCredentialRequestOptionsJSON;

// enterByPasskey logs in with a passkey alone.
export async function enterByPasskey(): Promise<Account> {
  const question = await ask<PasskeyOptions>(beginPasskey({ body: {} }));
  const passkey = await withBrowser(() => startAuthentication({ optionsJSON: requestOf(question) }));
  return ask<Account>(logInByPasskey({ body: { passkey } }));
}

// stepByPasskey takes the second step of a log-in with a passkey.
export async function stepByPasskey(): Promise<Account> {
  const question = await ask<PasskeyOptions>(beginPasskey({ body: { step: true } }));
  const passkey = await withBrowser(() => startAuthentication({ optionsJSON: requestOf(question) }));
  return ask<Account>(finishLogIn({ body: { passkey } }));
}

// makePasskey makes one and hands it to the archive.
export async function makePasskey(name: string): Promise<FactorAdded> {
  const question = await ask<PasskeyOptions>(beginAddPasskey());
  const optionsJSON = question.options as unknown as PublicKeyCredentialCreationOptionsJSON;
  const passkey = await withBrowser(() => startRegistration({ optionsJSON }));
  return ask<FactorAdded>(addPasskey({ body: { name, passkey } }));
}
