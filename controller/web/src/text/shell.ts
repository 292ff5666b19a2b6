// What every page shares: navigation, states, errors, sign-in.
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
    reports: 'Reports',
    logs: 'Logs',
    runs: 'Runs',
  },
  /** Lists whose rows can be moved. */
  sorting: {
    drag: (name: string) => `Move ${name}`,
    hint: 'Drag it, or press Enter and move it with the arrow keys',
    up: (name: string) => `Move ${name} up`,
    down: (name: string) => `Move ${name} down`,
    /** What the list says aloud. */
    spoken: {
      dragStarted: ({ itemLabel }: { itemLabel: string }) =>
        `${itemLabel} can be moved with the arrow keys. Enter or Escape puts it down.`,
      movedToPosition: ({ itemLabel, position, count }: { itemLabel: string; position: number; count: number }) =>
        `${itemLabel} is at place ${position} of ${count}.`,
      dropped: ({ itemLabel, position }: { itemLabel: string; position: number }) =>
        `${itemLabel} stays at place ${position}.`,
      zoneActiveInstruction: 'Press Enter on a row to move it.',
    },
  },
  notFound: { title: 'There is no such page', back: 'Go to the dashboard' },
  themes: { label: 'Theme', system: 'System', light: 'Light', dark: 'Dark' },
  leaving: { title: 'Leave this page?', stay: 'Stay', leave: 'Leave without saving' },
  connection: {
    live: 'Connected',
    connecting: 'Connecting…',
    lost: 'Controller not reachable; trying again',
  },
  /** What the controller cannot store. */
  storage: {
    title: 'The controller cannot store everything',
    fault: ({ place, cause, fix }: { place: string; cause: string; fix: string }) =>
      `${place} ${cause}. To fix it, ${fix}.`,
    unpublished: 'What was saved could not be written to the exchange folder; this is tried again:',
  },
  session: {
    title: 'Sign in',
    help: 'Open the link that the controller printed when it started, or enter the API key.',
    where:
      'The key is in data/controller/api-key unless CONTROL_UI_API_KEY set another; “controller login-link” prints a new link.',
    key: 'API key',
    signIn: 'Sign in',
    signOut: 'Sign out',
    wait: (seconds: number) => `Too many wrong tries. Wait ${seconds} s.`,
  },
  errors: {
    unreachable: 'The controller does not answer. Is it running?',
    status: (status: number) => `The controller answered ${status}.`,
    between: 'Something between this page and the controller answered instead of it. Load the page again.',
    /** By the code of a failure, instead of what the controller says; `here` is the address of the interface. */
    codes: {
      wrong_origin: (here) =>
        `The controller does not know ${here} as its own address, so it refuses changes from here. Let the proxy pass on the Host header ($http_host in nginx), or start the controller with PUBLIC_URL=${here.replace(/\/$/, '')}`,
      host_not_allowed: (here) =>
        `The controller does not know ${here} as its own address. Start it with PUBLIC_URL=${here.replace(/\/$/, '')}, or add the host to ALLOWED_HOSTS.`,
      wrong_key: () => 'That is not the API key.',
      code_used: () => 'That sign-in link has been used or is too old. Print a new one with “controller login-link”.',
      session_ended: () => 'You have been signed out. Sign in again.',
    } as Record<string, ((here: string) => string) | undefined>,
    title: 'This could not be loaded',
  },
  /** The states of the generator, each with what it means. */
  states: {
    unknown: ['Unknown', 'Waiting for the controller.'],
    running: ['Running', 'Visits are being sent.'],
    starting: ['Starting', 'The generator is coming up.'],
    idle: ['Idle', 'The generator is up and sends nothing.'],
    paused: ['Paused', 'The daily cap is reached; the run resumes by itself.'],
    unstored: [
      'Paused, state not writable',
      'No new visits begin: the state folder (data/state) cannot be written, because its disk is full or read-only. Free space there; the run then resumes by itself.',
    ],
    held: ['Paused', 'No new visits begin until somebody resumes the run.'],
    draining: ['Draining', 'No new visits begin; the run is ending.'],
    stopped: ['Stopped', 'Nothing is being sent.'],
    backfilling: ['Backfilling', 'Visits of past days are being sent. No live run is on.'],
    created: ['Ready', 'Nothing is being sent yet.'],
    restarting: ['Restarting', 'The engine starts it again.'],
    frozen: ['Frozen', 'The container is paused by the engine.'],
    dead: ['Dead', 'The engine could not end the container properly.'],
    not_found: ['Missing', 'There is no generator container.'],
    foreign: ['Not ours', 'Another container has the name.'],
    unavailable: ['Engine away', 'The Docker engine does not answer.'],
  } as Record<string, [string, string]>,
  /** What is said beside the state. */
  beside: {
    failed: (n: number, all: number) => (all === 1 ? 'the target is failing' : `${n} of ${all} targets failing`),
    degraded: (n: number, all: number) => (all === 1 ? 'the target is degraded' : `${n} of ${all} targets degraded`),
    missed: (n: number) => (n === 1 ? '1 threshold missed' : `${n} thresholds missed`),
    backfill: (share: string) => `backfill ${share || 'starting'}`,
    container: (reason: string) => `Container: ${reason}.`,
    lastKnown: (word: string) => `Last known: ${word}`,
  },
  /** What the controller is doing right now. */
  operations: {
    start: 'Starting',
    stop: 'Stopping',
    restart: 'Restarting',
    rerun: 'Starting again',
    apply: 'Applying',
    heal: 'Healing',
    recover: 'Recovering',
    adopt: 'Taking over',
  } as Record<string, string>,
  /** An input for something that is saved and never shown. */
  secret: {
    saved: 'Saved, hidden',
    replace: 'Replace',
    clear: 'Clear',
    keep: 'Keep the saved one',
    cleared: 'Removed when saved',
    placeholder: 'New value',
    none: 'None saved',
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
