// Every sentence a person reads. A language is a folder like en with the same shape; this file chooses.
import { en } from './en'

export type Words = typeof en

export const words: Words = en
