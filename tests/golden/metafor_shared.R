# Makes metafor_shared.csv in this folder. See README.md for the command, the version and the tolerance.
suppressMessages(library(metafor))
set.seed(20261130)
rows <- lapply(1:40, function(i) {
  k <- sample(3:8, 1)
  v <- rgamma(k, 2, 20)
  # The first two or three cohorts share a control group.
  shared <- sample(2:3, 1)
  r <- diag(k)
  n <- sample(4:15, k, replace = TRUE)
  control <- sample(4:15, 1)
  for (a in 1:shared) for (b in 1:shared) if (a != b) {
    r[a, b] <- (1 / control) / sqrt((1 / n[a] + 1 / control) * (1 / n[b] + 1 / control))
  }
  V <- r * outer(sqrt(v), sqrt(v))
  y <- 0.3 + rnorm(k, 0, sqrt(sample(c(0, 0.05, 0.5), 1))) + c(t(chol(V)) %*% rnorm(k))
  id <- 1:k
  # As fine a tolerance as the optimiser can meet.
  for (tol in 10^-(13:8)) {
    control_of_fit <- list(rel.tol = tol, iter.max = 10000, eval.max = 10000)
    fit <- tryCatch(rma.mv(y, V, random = ~ 1 | id, method = "REML", test = "t", control = control_of_fit), error = function(e) NULL)
    if (!is.null(fit)) break
  }
  # Hartung and Knapp's error, which rma.mv does not have: from its definition and metafor's estimate of tau^2.
  W <- solve(V + diag(fit$sigma2, k))
  spread <- c(t(y - c(fit$beta)) %*% W %*% (y - c(fit$beta))) / (k - 1)
  data.frame(
    y = paste(sprintf("%.17g", y), collapse = " "), v = paste(sprintf("%.17g", v), collapse = " "),
    r = paste(sprintf("%.17g", c(r)), collapse = " "), estimate = c(fit$beta), se = fit$se, tau2 = fit$sigma2,
    q = fit$QE, q_p = fit$QEp, spread = spread, weights = paste(sprintf("%.17g", colSums(W) / sum(W)), collapse = " ")
  )
})
write.csv(do.call(rbind, rows), "metafor_shared.csv", row.names = FALSE, quote = FALSE)
