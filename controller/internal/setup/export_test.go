package setup

// ImportFile exports importFile, so that its rules can be tested without a folder.
var ImportFile = (*Service).importFile
