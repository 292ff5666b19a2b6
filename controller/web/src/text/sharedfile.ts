import { count } from './numbers'

const edits = (files: string[]) =>
  files.length === 1 ? `The edit of ${files[0]} was` : `The edits of ${files.join(', ')} were`

// The shared files: what a restart would change, hand edits, and files that people upload.
export const sharedFile = {
  pending: 'The current run does not use what was saved since it began.',
  running: 'Running',
  saved: 'Saved',
  apply: 'Apply and restart',
  saveAndApply: 'Save and apply',
  saveAndApplyHelp: 'Saves, restarts the generator and waits until the new plan runs',
  applied: 'The new plan runs.',
  unsaved: 'Unsaved edits',
  allSaved: 'All saved',
  blocked: 'Correct the errors to save',
  discard: 'Discard edits',
  discarded: 'The edits were discarded.',
  edited: (files: string[]) =>
    `${files.join(', ')} ${files.length === 1 ? 'was' : 'were'} edited by hand in the exchange folder.`,
  editedHelp:
    'Import takes the edit over and makes it the saved state; overwrite loses it. Until then nothing can be saved here, and a start uses the file as it is.',
  importEdit: 'Import the edit',
  overwriteEdit: 'Overwrite the edit',
  overwriteAsk: 'Overwrite what was edited by hand?',
  overwriteText: (files: string[]) => `What was edited in ${files.join(', ')} will be lost. There is no way back.`,
  imported: (files: string[]) => `${edits(files)} imported.`,
  overwritten: (files: string[]) => `${edits(files)} overwritten.`,
  checking: 'Checking…',
  notChecked: 'Not checked',
  good: 'No problems',
  errors: (n: number) => (n === 1 ? '1 error' : `${count(n)} errors`),
  warnings: (n: number) => (n === 1 ? '1 warning' : `${count(n)} warnings`),
  firstProblem: 'Go to the first problem',
  upload: 'Upload',
  download: 'Download',
  reset: 'Reset to built-in',
  changedElsewhere: 'What is saved has been changed elsewhere. Saving here replaces it.',
  loadSaved: 'Load what is saved',
  drop: 'Drop the file to load it into the editor',
  oneFile: 'Drop one file at a time.',
  file: {
    tooLarge: (name: string, size: string, most: string) =>
      `“${name}” is too large: ${size}, and at most ${most} are taken. Keep the lines that matter.`,
    empty: (name: string) => `“${name}” is empty.`,
    notUtf8: (name: string, line: number) =>
      `“${name}” is not UTF-8: line ${line} holds bytes that are none. Save it as UTF-8 and upload it again.`,
    binary: (name: string) => `“${name}” is not a text file.`,
    unreadable: (name: string) => `“${name}” could not be read. Has it been moved or is it a folder?`,
    mebibytes: (n: string) => `${n} MiB`,
  },
}
