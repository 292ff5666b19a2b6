// One way to show what went wrong.
export { default as Failure } from './Failure.svelte'
export { default as Loaded } from './Loaded.svelte'
export { faultsOf, lineOf, sentence, unsaid, type Faults } from './faults'
export { tellFailure } from './tell'
