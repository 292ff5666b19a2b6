// Shared by all pages: navigation, states, errors and sign-in.
export const shell = {
  product: 'Trafficinator',
  tagline: 'Load generator for Matomo',
  documentation: 'Documentation',
  apiDocs: 'API',
  undo: 'Undo',
  cancel: 'Cancel',
  close: 'Close',
  save: 'Save',
  delete: 'Delete',
  retry: 'Try again',
  loading: 'Loading…',
  dismiss: 'Dismiss',
  menu: 'Menu',
  skip: 'Skip to content',
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
  /** Sortable lists. */
  sorting: {
    drag: (name: string) => `Move ${name}`,
    hint: 'Drag, or press Enter and use the arrow keys',
    up: (name: string) => `Move ${name} up`,
    down: (name: string) => `Move ${name} down`,
    /** Announced to screen readers. */
    spoken: {
      dragStarted: ({ itemLabel }: { itemLabel: string }) =>
        `Moving ${itemLabel}. Use the arrow keys to move it; press Enter or Escape to drop it.`,
      movedToPosition: ({ itemLabel, position, count }: { itemLabel: string; position: number; count: number }) =>
        `${itemLabel} is at position ${position} of ${count}.`,
      dropped: ({ itemLabel, position }: { itemLabel: string; position: number }) =>
        `${itemLabel} dropped at position ${position}.`,
      zoneActiveInstruction: 'Press Enter on a row to move it.',
    },
  },
  notFound: { title: 'Page not found', back: 'Go to the dashboard' },
  themes: { label: 'Theme', system: 'System', light: 'Light', dark: 'Dark' },
  leaving: { title: 'Leave this page?', stay: 'Stay', leave: 'Leave without saving' },
  connection: {
    live: 'Connected',
    connecting: 'Connecting…',
    lost: 'Controller unreachable, reconnecting…',
  },
  /** Problems writing the controller's data. */
  storage: {
    title: 'The controller cannot write its data',
    fault: ({ place, cause, fix }: { place: string; cause: string; fix: string }) =>
      `${place} ${cause}. To fix it, ${fix}.`,
    unpublished: 'Saved changes could not be written to the exchange folder. Retrying:',
  },
  session: {
    title: 'Sign in',
    help: 'Open the link that the controller printed at start, or enter the API key.',
    where:
      'Stored in data/controller/api-key unless CONTROL_UI_API_KEY is set. “controller login-link” prints a new link.',
    key: 'API key',
    signIn: 'Sign in',
    signOut: 'Sign out',
    wait: (seconds: number) => `Too many attempts. Try again in ${seconds} s.`,
  },
  errors: {
    unreachable: 'The controller is unreachable. Is it running?',
    status: (status: number) => `The controller returned status ${status}.`,
    between: 'A proxy answered instead of the controller. Reload the page.',
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
    title: 'Loading failed',
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
    frozen: ['Frozen', 'The container is paused in Docker.'],
    dead: ['Dead', 'Docker could not remove the container.'],
    not_found: ['Missing', 'There is no generator container.'],
    foreign: ['Name taken', 'Another container uses this name.'],
    unavailable: ['Docker unreachable', 'The Docker engine does not respond.'],
  } as Record<string, [string, string]>,
  /** Notes next to the state. */
  stateNotes: {
    failed: (n: number, all: number) => (all === 1 ? 'the target is failing' : `${n} of ${all} targets failing`),
    degraded: (n: number, all: number) => (all === 1 ? 'the target is degraded' : `${n} of ${all} targets degraded`),
    thresholds: (n: number) => (n === 1 ? '1 threshold failed' : `${n} thresholds failed`),
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
  /** Input for a write-only value. */
  secret: {
    saved: 'Saved (hidden)',
    replace: 'Replace',
    clear: 'Clear',
    keep: 'Keep saved value',
    cleared: 'Will be removed on save',
    placeholder: 'New value',
    none: 'Not set',
  },
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
