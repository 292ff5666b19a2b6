// Shared by all pages: navigation, states, errors and sign-in.
import { plural } from './numbers'

export const shell = {
  product: 'Trafficinator',
  undo: 'Undo',
  cancel: 'Cancel',
  close: 'Close',
  save: 'Save',
  delete: 'Delete',
  retry: 'Try again',
  dismiss: 'Dismiss',
  menu: 'Menu',
  none: '–',
  pages: {
    dashboard: 'Dashboard',
    configuration: 'Configuration',
    presets: 'Presets',
    urls: 'URLs',
    events: 'Events',
    funnels: 'Funnels',
    backfill: 'Backfill',
    capacity: 'Capacity',
    benchmark: 'API benchmark',
    logs: 'Logs',
    runs: 'Runs',
  },
  connection: {
    live: 'Connected',
    connecting: 'Connecting…',
    lost: 'Controller unreachable, reconnecting…',
  },
  errors: {
    /** Replace the API's message by its error code; `here` is the URL of this interface. */
    codes: {
      wrong_origin: (here) =>
        `The controller does not accept changes from ${here}. Make the proxy forward the Host header ($http_host in nginx), or start the controller with PUBLIC_URL=${here.replace(/\/$/, '')}`,
      host_not_allowed: (here) =>
        `The controller does not accept requests for ${here}. Start it with PUBLIC_URL=${here.replace(/\/$/, '')}, or add the host to ALLOWED_HOSTS.`,
      wrong_key: () => 'Wrong API key.',
      code_used: () => 'This sign-in link has been used or has expired. Print a new one with “controller login-link”.',
      session_ended: () => 'Your session has ended. Sign in again.',
    } as Record<string, ((here: string) => string) | undefined>,
  },
  /** The generator's states: [label, explanation]. */
  states: {
    unknown: ['Unknown', 'Waiting for the controller.'],
    running: ['Running', 'Visits are being sent.'],
    starting: ['Starting', 'The generator is starting.'],
    idle: ['Idle', 'The generator is ready; nothing is being sent.'],
    paused: ['Paused', 'The daily cap is reached; the run resumes automatically.'],
    unstored: [
      'Paused, state not writable',
      'No new visits start: data/state cannot be written because the disk is full or read-only. Free some space; the run then resumes automatically.',
    ],
    held: ['Paused', 'No new visits start until you resume the run.'],
    draining: ['Draining', 'No new visits start; open visits are finishing.'],
    stopped: ['Stopped', 'Nothing is being sent.'],
    backfilling: ['Backfilling', 'Visits of past days are being sent. No live run is active.'],
    created: ['Ready', 'Nothing is being sent yet.'],
    restarting: ['Restarting', 'Docker is restarting the container.'],
    frozen: ['Container paused', 'The container is paused in Docker.'],
    dead: ['Dead', 'Docker could not remove the container.'],
    not_found: ['Missing', 'There is no generator container.'],
    foreign: ['Name taken', 'Another container uses this name.'],
    unavailable: ['Docker unreachable', 'The Docker engine does not respond.'],
  } as Record<string, [string, string]>,
  /** Notes next to the state. */
  stateNotes: {
    failed: (n: number, all: number) => (all === 1 ? 'the target is failing' : `${n} of ${all} targets failing`),
    degraded: (n: number, all: number) => (all === 1 ? 'the target is degraded' : `${n} of ${all} targets degraded`),
    thresholds: (n: number) => plural(n, 'threshold failed', 'thresholds failed'),
    backfill: (share: string) => `backfill ${share || 'starting'}`,
    container: (reason: string) => `Container: ${reason}.`,
    lastKnown: (label: string) => `Last known: ${label}`,
  },
  /** The controller's current operation. */
  operations: {
    start: 'Starting',
    stop: 'Stopping',
    restart: 'Restarting',
    rerun: 'Rerunning',
    apply: 'Applying',
    heal: 'Repairing',
    recover: 'Recovering',
    adopt: 'Attaching',
  } as Record<string, string>,
  outcomes: {
    planned: 'Planned',
    accepted: 'Accepted',
    rejected: 'Rejected',
    failed: 'Failed',
    unknown: 'Unknown',
    shed: 'Shed',
    abandoned: 'Abandoned',
  } as Record<string, string>,
}
