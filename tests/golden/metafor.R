# Makes metafor.csv in this folder. See README.md for the command, the version and the tolerance.
suppressMessages(library(metafor))
set.seed(20261129)
rows <- lapply(1:60, function(i) {
  k <- sample(2:10, 1)
  v <- rgamma(k, 2, 20)
  y <- rnorm(k, 0.3, sqrt(v + sample(c(0, 0.05, 0.5), 1)))
  one <- function(test) rma(y, v, method = "REML", test = test, control = list(threshold = 1e-12, maxiter = 10000, stepadj = 0.5))
  plain <- one("knha")
  adhoc <- one("adhoc")
  profile <- confint(plain, control = list(tol = 1e-12, tau2.max = 1e5))$random
  data.frame(
    y = paste(sprintf("%.17g", y), collapse = " "), v = paste(sprintf("%.17g", v), collapse = " "),
    estimate = c(plain$beta), se = plain$se, low = plain$ci.lb, high = plain$ci.ub, p = plain$pval, tau2 = plain$tau2,
    tau2_low = profile["tau^2", "ci.lb"], tau2_high = profile["tau^2", "ci.ub"], i2 = plain$I2, q = plain$QE, q_p = plain$QEp,
    adhoc_se = adhoc$se, adhoc_p = adhoc$pval
  )
})
write.csv(do.call(rbind, rows), "metafor.csv", row.names = FALSE, quote = FALSE)
