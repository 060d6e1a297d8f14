# Times limma's camera and mroast; called by gene_set_tests.py with the folder of its data.
suppressMessages(library(limma))
folder <- commandArgs(trailingOnly = TRUE)[1]
read_numbers <- function(name, columns) {
  matrix(readBin(file.path(folder, name), "double", 1e9), ncol = columns, byrow = TRUE)
}
sizes <- scan(file.path(folder, "shape.txt"), quiet = TRUE) # samples, genes, coefficients, rotations
expression <- t(read_numbers("expression.bin", sizes[2]))
design <- read_numbers("design.bin", sizes[3])
sets <- lapply(strsplit(readLines(file.path(folder, "sets.txt")), " "), as.integer)
timed <- function(run) {
  start <- sum(proc.time()[1:2]) # of the processor
  result <- run()
  list(result = result, seconds = sum(proc.time()[1:2]) - start)
}
# The median of three, since the first run compiles and asks for memory.
thrice <- lapply(1:3, function(i) timed(function() camera(expression, sets, design, inter.gene.cor = NA, sort = FALSE)))
estimated <- list(result = thrice[[1]]$result, seconds = median(sapply(thrice, `[[`, "seconds")))
rotated <- timed(function() mroast(expression, sets, design, nrot = sizes[4], sort = "none"))
write.csv(
  data.frame(camera = estimated$result$PValue, roast = rotated$result$PValue, mixed = rotated$result$PValue.Mixed),
  file.path(folder, "limma.csv"), row.names = FALSE
)
cat(estimated$seconds, rotated$seconds, as.character(packageVersion("limma")), R.version.string, sep = "\n")
