import { count } from './numbers'

const edits = (files: string[]) =>
  files.length === 1 ? `The edit of ${files[0]} was` : `The edits of ${files.join(', ')} were`

// Shared files: changes that need a restart, manual edits, and uploads.
export const sharedFile = {
  pending: 'Saved changes aren’t live yet. Restart to apply them.',
  running: 'Running',
  saved: 'Saved',
  apply: 'Restart and apply',
  saveAndApply: 'Save and apply',
  saveAndApplyHelp: 'Saves and restarts the generator with the new settings',
  applied: 'Changes applied.',
  unsaved: 'Unsaved changes',
  allSaved: 'No unsaved changes',
  blocked: 'Fix the errors to save',
  discard: 'Discard changes',
  discarded: 'Changes discarded.',
  edited: (files: string[]) =>
    `${files.join(', ')} ${files.length === 1 ? 'was' : 'were'} edited outside this interface.`,
  editedHelp:
    'Import the edit to keep it, or overwrite it with the saved state. Until then you can’t save here, and a start uses the edited file.',
  importEdit: 'Import',
  overwriteEdit: 'Overwrite',
  overwriteTitle: 'Overwrite manual edits?',
  overwriteText: (files: string[]) => `The edits in ${files.join(', ')} will be lost. This can’t be undone.`,
  imported: (files: string[]) => `${edits(files)} imported.`,
  overwritten: (files: string[]) => `${edits(files)} overwritten.`,
  checking: 'Validating…',
  notChecked: 'Not validated',
  valid: 'No problems',
  errors: (n: number) => (n === 1 ? '1 error' : `${count(n)} errors`),
  warnings: (n: number) => (n === 1 ? '1 warning' : `${count(n)} warnings`),
  firstProblem: 'Go to the first problem',
  upload: 'Upload',
  download: 'Download',
  reset: 'Reset to built-in',
  changedElsewhere: 'The saved version changed elsewhere. Saving here overwrites it.',
  loadSaved: 'Load saved version',
  drop: 'Drop a file to load it',
  oneFile: 'Drop a single file.',
  file: {
    tooLarge: (name: string, size: string, limit: string) => `“${name}” is too large: ${size} (limit ${limit}).`,
    empty: (name: string) => `“${name}” is empty.`,
    notUtf8: (name: string, line: number) =>
      `“${name}” is not valid UTF-8 (line ${line}). Save it as UTF-8 and upload it again.`,
    binary: (name: string) => `“${name}” is not a text file.`,
    unreadable: (name: string) => `“${name}” could not be read.`,
    mebibytes: (n: string) => `${n} MiB`,
  },
}
