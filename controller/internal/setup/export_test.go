package setup

// ImportFile is importFile for the tests of its rules, without a folder that holds the file.
var ImportFile = (*Service).importFile
