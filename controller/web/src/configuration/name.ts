import { words } from '../words'

/** What a setting is called; its env key where it has no name. */
export const nameOf = (key: string) => words.configuration.names[key] ?? key
